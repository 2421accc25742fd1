import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.core.artifacts import GRID, IMAGES, PATCH
from pipeline.core.errors import ConfigError
from pipeline.images.manifest import read_manifest
from pipeline.patch import experiment
from pipeline.patch.experiment import Search, run_group
from pipeline.patch.patches import GROUPS, Patch
from pipeline.patch.stage import _setup, run
from pipeline.stages import Task
from tests.patch.planted import BIRD, CLASSES, FIREBOAT, SETTINGS, Planted

FORWARD, BACKWARD = 0, 1


def result(task: Task) -> dict[str, Any]:
    """What the page would read."""
    text = (task.path(PATCH) / "result.js").read_text()
    content: dict[str, Any] = json.loads(text.partition("]=")[2].rstrip(";\n"))
    return content


def groups(task: Task) -> dict[str, dict[str, Any]]:
    """The groups from birds to fireboats, by name."""
    return {group["name"]: group for group in result(task)["directions"][FORWARD]["groups"]}


def test_the_planted_shortcut_is_found(planted: Planted) -> None:
    """Patches from the atlas carry the color and turn most birds into fireboats; noise of equal area does not."""
    found = groups(planted.task)
    assert found["atlas"]["static"]["targeted"]["low"] > 0.7
    assert found["noise"]["static"]["targeted"]["value"] < 0.3
    manifest = read_manifest(planted.task.path(IMAGES))
    scraps = {manifest.key[row] for row in planted.scraps}
    assert all(patch["key"] in scraps for patch in found["atlas"]["patches"])


def test_the_lead_over_a_control_is_the_difference_of_the_rates(planted: Planted) -> None:
    """The difference is the atlas's rate minus the control's, inside its interval, and above zero for noise."""
    found, differences = groups(planted.task), result(planted.task)["directions"][FORWARD]["differences"]
    for control in ("same_image", "logit", "random", "noise"):
        rates = [found[name]["static"]["targeted"]["value"] for name in ("atlas", control)]
        lead = differences[control]["static"]
        assert lead["value"] == pytest.approx(rates[0] - rates[1], abs=2e-4)
        assert lead["low"] <= lead["value"] <= lead["high"]
    assert differences["noise"]["static"]["low"] > 0
    assert differences["best_control"] == "logit"


def test_larger_patches_of_the_shortcut_say_more(planted: Planted) -> None:
    """The target's softmax grows with the patch's size, from what it is without any."""
    curve = groups(planted.task)["atlas"]["curve"]
    before = result(planted.task)["directions"][FORWARD]["before"]
    assert before["source"] > 0.5 > before["target"]
    assert curve["target"][0] < 0.5 < curve["target"][1]
    assert groups(planted.task)["noise"]["curve"]["own"] == [None] * 3


def test_every_group_has_the_same_search(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    """All groups try equally many patches of equal area in equal ways on the very same images, none in both halves."""
    seen: list[tuple[Search, list[Patch]]] = []

    def recorded(search: Search, patches: list[Patch]) -> Any:
        seen.append((search, patches))
        return run_group(search, patches)

    monkeypatch.setattr(experiment, "run_group", recorded)
    run(planted.task)
    assert len(seen) == len(GROUPS)
    searches = [search for search, _ in seen]
    for search in searches:
        assert search.searched is searches[0].searched
        assert search.measured is searches[0].measured
        assert search.configurations == searches[0].configurations
    assert {len(patches) for _, patches in seen} == {SETTINGS["candidates"]}
    assert len({patch.pixels.shape for _, patches in seen for patch in patches}) == 1
    both = {image.tobytes() for image in searches[0].searched} & {image.tobytes() for image in searches[0].measured}
    assert not both
    for group in groups(planted.task).values():
        assert group["patches_tested"] == SETTINGS["candidates"]
        assert len(group["patches"]) == SETTINGS["keep"]


def test_the_measured_half_chooses_nothing(planted: Planted) -> None:
    """With the measured images all black, the same patches, sizes and corners are selected."""
    setup = _setup(planted.task)
    test = setup.pair_test(setup.class_images(BIRD), FIREBOAT)
    search = test.search()
    blind = replace(search, measured=np.zeros_like(search.measured))
    patches = test.groups()["random"]
    selected, repeated = run_group(search, patches), run_group(blind, patches)
    assert selected.placements == repeated.placements
    assert [patch.image for patch in selected.patches] == [patch.image for patch in repeated.patches]
    assert not np.array_equal(selected.static.target, repeated.static.target)


def test_the_network_got_the_images_right(planted: Planted) -> None:
    """Only images that the network classifies as birds are tested, and the counts add up."""
    images = result(planted.task)["directions"][FORWARD]["images"]
    birds = _setup(planted.task).class_images(BIRD)
    assert images["correct"] == (birds.softmax.argmax(axis=1) == BIRD).sum()
    assert images["correct"] < images["evaluated"] == 40  # the hasty network takes some birds for something else
    assert images["measured"] == images["correct"] - images["correct"] // 2


def test_the_batch_size_changes_no_rate(planted: Planted, tmp_path: Path) -> None:
    """Another batch size gives the same patches, corners and rates; another seed other controls."""
    other = planted.with_settings(tmp_path / "batch", batch_size=7)
    run(other)
    for name, group in groups(planted.task).items():
        again = groups(other)[name]
        for mine, its in zip(group["patches"], again["patches"], strict=True):
            assert [mine[key] for key in ("key", "side", "corner", "static", "dynamic")] == [
                its[key] for key in ("key", "side", "corner", "static", "dynamic")
            ]
        assert group["static"]["targeted"] == again["static"]["targeted"]
        np.testing.assert_allclose(group["curve"]["target"], again["curve"]["target"], atol=2e-4)
    params = planted.task.params.model_copy(update={"seed": 1})
    seeded = replace(planted.with_settings(tmp_path / "seed"), params=params)
    run(seeded)
    keys = [[patch["key"] for patch in groups(task)["random"]["patches"]] for task in (planted.task, seeded)]
    assert keys[0] != keys[1]


def test_an_image_that_comes_twice_is_tested_once(planted: Planted) -> None:
    """Files of the same content count as one image, so that none can be both chosen on and measured on."""
    setup = _setup(planted.task)
    birds = setup.class_images(BIRD).rows
    digest = list(setup.manifest.digest)
    for row in birds[20:]:
        digest[row] = digest[birds[3]]
    copies = replace(setup, manifest=replace(setup.manifest, digest=tuple(digest)))
    found = copies.class_images(BIRD)
    np.testing.assert_array_equal(found.rows, birds[:20])
    assert found.listed == len(birds) == 40


def test_too_few_images_are_reported_not_failed(planted: Planted, tmp_path: Path) -> None:
    """With one image of a class there is no test: the result says why and keeps the candidates."""
    task = planted.with_settings(tmp_path / "few", images=2, min_images=8)
    run(task)
    content = result(task)["directions"][FORWARD]
    assert "groups" not in content
    correct = content["images"]["correct"]
    assert content["skip_reason"].startswith(
        f"Too few images of {CLASSES[BIRD]} for a test: 40 in the image set, 2 evaluated, {correct} classified "
        "correctly; 16 are needed"
    )
    assert len(content["candidate_patches"]) == SETTINGS["keep"]
    assert all((task.path(PATCH) / patch["file"]).is_file() for patch in content["candidate_patches"])
    metrics = json.loads((task.outputs / "metrics/patch/mixed4a/compare-0-1.json").read_text())
    assert metrics["0-1"] == {"tested": False, "images_correct": correct}


def test_an_end_without_candidates_is_reported(planted: Planted) -> None:
    """The birds' end has only birds, so the other direction has no candidates and states that."""
    content = result(planted.task)["directions"][BACKWARD]
    assert content["skip_reason"].startswith("No candidates: ")
    assert content["candidates"] == {"requested": SETTINGS["candidates"], "found": 0}


def test_images_can_be_left_out(planted: Planted, tmp_path: Path) -> None:
    """Without examples no image is written, and every number is still there."""
    task = planted.with_settings(tmp_path / "disabled", examples=0)
    run(task)
    assert [path.name for path in task.path(PATCH).rglob("*") if path.is_file()] == ["result.js"]
    found = groups(task)["atlas"]
    assert found["static"] == groups(planted.task)["atlas"]["static"]
    assert all(patch["file"] is None for patch in found["patches"])


def test_only_comparisons_are_tested(planted: Planted) -> None:
    """Another atlas is an error of one line that states what to give."""
    with pytest.raises(ConfigError, match="expected a comparison of two classes, found all; name a compare-"):
        run(replace(planted.task, atlas="all"))


def test_metrics_hold_the_pooled_rates(planted: Planted) -> None:
    """The numbers that DVC shows are those of the page."""
    metrics = json.loads((planted.task.outputs / "metrics/patch/mixed4a/compare-0-1.json").read_text())
    assert planted.task.path(GRID).is_dir()
    for name, group in groups(planted.task).items():
        for way in ("static", "dynamic"):
            rates = metrics["0-1"][way][name]
            assert rates["targeted"] == group[way]["targeted"]["value"]
            assert [rates["untargeted_low"], rates["untargeted_high"]] == [
                group[way]["untargeted"][end] for end in ("low", "high")
            ]
