import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image
from torch import nn

from benchmarks.__main__ import BENCHMARKS, DOCUMENT, main
from benchmarks.fidelity.bench import _others
from benchmarks.fidelity.exemplars import square
from benchmarks.harness import docs, report
from benchmarks.harness.rows import row, table
from benchmarks.harness.timing import Side, Timed, interleaved
from benchmarks.legibility.judged import Legible
from benchmarks.legibility.judged import first_reaching as first_as_legible
from benchmarks.real import Run, real_run
from benchmarks.render.cells import Cells, first_cells, parents_of
from benchmarks.render.factors import SideResult, TimeToFidelity
from benchmarks.render.ours import SEED, IconRenderer
from benchmarks.render.points import Point, first_reaching, target_point
from benchmarks.study import bench as study
from benchmarks.study import page, sheet
from benchmarks.study.parameterizations import (
    MACO_LEARNING_RATE,
    PRIOR_LEARNING_RATE,
    DeepImagePrior,
    pixels,
    random_phases,
)
from benchmarks.study.rendering import DENOISER_EVERY, Material, optimized, rendered
from benchmarks.study.variants import VARIANTS
from pipeline.compose import compose_config
from pipeline.config.params import parse_params
from pipeline.config.render import RenderSettings
from pipeline.core.errors import ArtifactError, ConfigError, DataError
from pipeline.featurevis.activation_space import activation_space
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import direction
from pipeline.featurevis.optimize import image_generator, noise_and_uniforms
from pipeline.featurevis.parameterization import FixedMagnitudes
from pipeline.featurevis.step_filters import StepFilters
from pipeline.model.description import LayerShape
from pipeline.units.learned_priors import Denoiser, DenoiserFilter
from tests.featurevis.rendering import renderer, requests, stacked
from tests.featurevis.scene import Scene, scene

ROOT = Path(__file__).parents[1]


def point(side: str, steps: int, fidelity: float, rate: float = 0.05) -> Point:
    """Fidelity of a side after some steps."""
    return Point(side, steps, rate, fidelity, fidelity / 2, seen=64, icons_per_second=1.0)


def time_to_fidelity(best_reached: bool = True) -> TimeToFidelity:
    """Time to fidelity of sides that take 64, 8, 2 and 1 ms for a step."""
    steps = {"default": 64, "size": 128, "exact": 32, "best": 16}
    milliseconds = {"default": 64, "size": 8, "exact": 2, "best": 1}
    seconds = {side: (steps[side] * milliseconds[side] / 1000,) * 3 for side in steps}
    results = {side: SideResult(side, side, point(side, steps[side], 0.8), reached=True) for side in steps}
    results["best"] = SideResult("best", "best", point("best", 16, 0.8), reached=best_reached)
    return TimeToFidelity("layer", point("size", 128, 0.8), **results, timed=Timed(seconds))


def test_a_goal_is_judged_by_the_measured_value_in_both_directions() -> None:
    """A value on the right side of its goal holds, one on the wrong side does not; without a goal there is none."""
    assert row("a", 20.0, "x", at_least=20).holds is True
    assert row("a", 19.99999, "x", at_least=20).holds is False  # although it is shown as 20
    assert row("a", 1.19, "x", at_most=1.2).holds is True
    assert row("a", 1.3, "x", at_most=1.2).holds is False
    assert row("a", 1.3, "x").holds is None
    assert [row("a", 1, "x", at_least=20).goal, row("a", 1, "x", at_most=1.2).goal] == ["≥ 20", "≤ 1.2"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_refused(value: float) -> None:
    """A measurement that failed is no row."""
    with pytest.raises(DataError, match="expected a number for 'speed'"):
        row("speed", value, "x")


def test_a_missed_goal_stands_out_in_the_table() -> None:
    """Only the row that misses its goal says so."""
    lines = table([row("good", 30, "x", at_least=20), row("bad", 3, "x", at_least=20), row("plain", 3, "s")]).split(
        "\n"
    )
    assert ["MISSED" in line for line in lines] == [False, False, True, False]


def test_sides_take_turns_and_seconds_are_per_unit() -> None:
    """Sides run A B, A B; each call's seconds are divided by the units of work in it."""
    turns: list[str] = []
    time = iter([0.0, 4.0, 10.0, 11.0, 20.0, 28.0, 30.0, 31.0])
    sides = {"a": Side(lambda: turns.append("a"), count=4), "b": Side(lambda: turns.append("b"))}
    timed = interleaved(sides, rounds=2, clock=lambda: next(time))
    assert turns == ["a", "b", "a", "b"]
    assert timed.seconds == {"a": (1.0, 2.0), "b": (1.0, 1.0)}
    assert timed.median("a") == 1.5


def test_a_ratio_is_blind_to_a_machine_that_slows_down() -> None:
    """A machine that gets slower from round to round moves both medians but not the ratio within the rounds."""

    def drifting() -> Iterator[float]:
        now, pace = 0.0, 1.0
        while True:
            for work in (3.0, 1.0):  # the first side has three times the work
                yield now
                now += work * pace
                yield now
            pace *= 1.5

    clock = drifting()
    sides = {"slow": Side(lambda: None), "fast": Side(lambda: None)}
    timed = interleaved(sides, rounds=5, clock=lambda: next(clock))
    assert timed.ratio("slow", "fast") == pytest.approx(3)
    assert timed.seconds["fast"][-1] > 4 * timed.seconds["fast"][0]


def test_results_are_kept_as_the_contract_says(tmp_path: Path) -> None:
    """The JSON has the command, machine, date and rows of what, value, unit, goal, holds; curves are a second file."""
    found = report.Report([row("a against b", 1 / 3, "x", at_least=20), row("c", 2, "s")], [{"steps": 8}])
    report.write(tmp_path, "speed", "python -m benchmarks speed", found)
    kept = json.loads((tmp_path / "speed.json").read_text())
    assert set(kept) == {"command", "machine", "date", "rows"}
    assert kept["command"] == "python -m benchmarks speed"
    assert {"processor", "cores", "memory_gib", "gpu", "torch", "threads"} <= set(kept["machine"])
    assert kept["rows"] == [
        {"what": "a against b", "value": 0.3333, "unit": "x", "goal": "≥ 20", "holds": False},
        {"what": "c", "value": 2.0, "unit": "s", "goal": None, "holds": None},
    ]
    assert json.loads((tmp_path / "speed_curves.json").read_text())["curves"] == [{"steps": 8}]
    assert report.read(tmp_path / "speed.json")["rows"] == list(found.rows)
    assert {path.name for path in tmp_path.iterdir()} == {"speed.json", "speed_curves.json"}  # nothing half written


def test_documents_get_new_tables_and_keep_their_prose(tmp_path: Path) -> None:
    """Between the markers stands the new table and no old one; every word around them stays."""
    document = tmp_path / "benchmarks.md"
    document.write_text("# Speed\nBefore.\n<!-- results: speed -->\nstale\n<!-- end of results -->\nAfter | all.\n")
    for value in (7.0, 8.0):
        report.write(tmp_path, "speed", "the command", report.Report([row("a|b", value, "x", at_least=20)]))
        assert docs.rewrite(document, tmp_path) == ["speed"]
    text = document.read_text()
    assert text.startswith("# Speed\nBefore.\n<!-- results: speed -->\n")
    assert text.endswith("<!-- end of results -->\nAfter | all.\n")
    assert "| a\\|b | 8 | x | ≥ 20 | MISSED |" in text
    assert "`the command`" in text
    assert "stale" not in text
    assert "| 7 |" not in text


def test_documents_without_markers_or_results_are_left_alone(tmp_path: Path) -> None:
    """Nothing is written without markers or without results."""
    document = tmp_path / "benchmarks.md"
    document.write_text("# Speed\n")
    with pytest.raises(ConfigError, match="results: NAME"):
        docs.rewrite(document, tmp_path)
    text = "<!-- results: speed -->\nstale\n<!-- end of results -->\n"
    document.write_text(text)
    with pytest.raises(ArtifactError, match="make bench"):
        docs.rewrite(document, tmp_path)
    assert document.read_text() == text


def test_the_document_has_a_place_for_every_benchmark() -> None:
    """docs/benchmarks.md has one block of results for each benchmark, and no other."""
    text = (ROOT / DOCUMENT).read_text()
    assert [found[2] for found in docs.BLOCK.finditer(text)] == list(BENCHMARKS)


def test_the_target_and_the_first_point_that_reaches_it() -> None:
    """The target is the best point of 128 steps; the fewest steps that reach it count, else there is none."""
    points = [point("a", 64, 0.9), point("a", 128, 0.7, 0.02), point("a", 128, 0.8, 0.1), point("a", 32, 0.8)]
    assert target_point(points) == points[2]
    assert first_reaching(points, target_point(points).fidelity) == points[3]
    assert first_reaching(points, 0.95) is None


def test_factors_multiply_to_the_total_and_ratios_name_both_sides() -> None:
    """The factors of time to fidelity give the whole ratio to the defaults, which is known here."""
    rows = {one.what: one for one in time_to_fidelity().rows()}
    factors = [one.value for what, one in rows.items() if "factor of the total" in what]
    total = rows["layer, time to fidelity: best against default"]
    assert total.value == pytest.approx(64 * 64 / 16)
    assert math.prod(factors) == pytest.approx(total.value)
    assert factors == [8, 0.5, 4, 2, 8]
    assert total.holds is True
    assert rows["layer, time to fidelity: best against size"].value == 64
    assert all(" against " in one.what for one in rows.values() if one.unit == "x")


def test_a_target_that_is_not_reached_is_a_missed_goal() -> None:
    """However fast a side is, below the target it has no time to fidelity."""
    ratios = [
        one
        for one in time_to_fidelity(best_reached=False).rows()
        if "best against" in one.what and "time to" in one.what
    ]
    assert len(ratios) == 2
    assert all(one.value == 0 and one.holds is False for one in ratios)


def test_equal_legibility_is_the_fewest_steps_that_reach_the_percentile() -> None:
    """The share found first does not decide, and without enough steps there is no answer."""
    found = {4: Legible(0.6, 0.5), 8: Legible(0.8, 0.1), 16: Legible(0.9, 0.4)}
    assert [first_as_legible(found, target) for target in (0.5, 0.8, 0.81, 0.95)] == [4, 8, 16, None]


def test_without_the_real_input_one_line_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command prints one line with what is missing, and exits 2."""
    monkeypatch.setenv("ATLAS_REAL_DATA", str(tmp_path))
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", ["benchmarks", "render", "--quick"])
    assert main() == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    with pytest.raises(ConfigError, match=r"squeezenet1_0\.safetensors.*ATLAS_REAL_DATA") as missing:
        real_run()
    assert str(missing.value).startswith(str(tmp_path))


@pytest.fixture(scope="module")
def small() -> Scene:
    """A small network with six cells."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 12, 3, stride=2), nn.ReLU())
    return scene(module.eval().requires_grad_(False), "3")


def cells(of: Scene, level: int = 2) -> Cells:
    """The scene's cells, placed in reading order."""
    count = len(of.means)
    place = np.stack([np.arange(count) // level, np.arange(count) % level], axis=1).astype(np.int32)
    exemplars, reliability = np.zeros((count, 1), np.int64), np.zeros(count, np.float32)
    run = Run(parse_params(OmegaConf.to_container(compose_config(ROOT, []))), Path())  # without any artifacts
    device = torch.device("cpu")
    return Cells(run, of.network, device, of.layer, level, place, of.means, exemplars, reliability, of.mean)


def settings(**change: object) -> RenderSettings:
    """Few steps on a small canvas, towards directions alone."""
    return RenderSettings(size=24, steps=4, warm_steps=3, batch_size=4, statistics=0.0).model_copy(update=change)


def test_the_benchmarks_render_the_very_icons_of_the_stage(small: Scene) -> None:
    """From noise and from parents, with a last batch that is filled up, icons are those of the stage's renderer."""
    chosen = settings()
    stage = renderer(small, chosen, seed=SEED)
    cold = IconRenderer(cells(small), chosen).render_all()
    batches = [stacked(stage.render(requests(small.means[first : first + 4]))) for first in (0, 4)]
    assert np.array_equal(cold, np.concatenate(batches))
    warm = IconRenderer(cells(small).chosen(np.arange(4)), chosen).render_all(cold[1:5])
    assert np.array_equal(warm, stacked(stage.render(requests(small.means[:4], cold[1:5].numpy()))))
    assert not np.array_equal(warm, cold[:4])


def test_parents_are_the_cells_that_contain_cells(small: Scene) -> None:
    """Each fine cell finds the coarse one at half its row and column; only cells with a known parent are taken."""
    coarse, fine = cells(small, 3), cells(small, 6)
    spread = np.array([[0, 0], [1, 5], [2, 2], [3, 3], [0, 1], [2, 4]], np.int32)
    fine = Cells(**{**vars(fine), "place": spread})
    assert parents_of(fine, coarse).tolist() == [0, 2, 4, 4, 0, 5]
    known = coarse.chosen(np.array([0, 5]))
    assert first_cells(fine, 2, known).place.tolist() == [[0, 0], [0, 1]]
    assert first_cells(fine, 6, None) is fine


def test_a_patch_is_cut_where_its_position_looks() -> None:
    """A dot at the center of a position's receptive field is in the center of its patch, also at the image's edge."""
    shape = LayerShape("map", 4, height=13, width=13, prefix=0, stride=16.0, receptive_field=155)
    for y, x in ((6, 6), (0, 12), (3, 9)):
        pixels = np.zeros((227, 227, 3), np.uint8)
        pixels[113 + 16 * (y - 6), 113 + 16 * (x - 6)] = 255
        patch = square(pixels, np.array([y, x]), shape, 96)
        assert patch.shape == (96, 96, 3)
        assert patch[46:50, 46:50].max() == 255


def test_a_random_icon_is_never_the_cells_own() -> None:
    """Each cell gets another's icon, and each icon is used once."""
    for count in (2, 7, 100):
        order = _others(count)
        assert sorted(order.tolist()) == list(range(count))
        assert not (order == torch.arange(count)).any()


def test_every_row_of_the_study_is_one_change_of_valid_settings() -> None:
    """No two rows are equal, the first is the default, and every changed setting exists, is allowed and differs."""
    default = RenderSettings().model_dump()
    assert VARIANTS[0].name == "default"
    assert len({one.name for one in VARIANTS}) == len(VARIANTS)
    for one in VARIANTS:
        RenderSettings.model_validate({**default, **one.change})
        differs = [name for name, value in one.change.items() if default[name] != value]
        assert differs == list(one.change), one.name
        assert (
            one.name == "default"
            or one.change
            or one.wider
            or (one.start, one.parameterization, one.denoiser) != ("noise", "settings", False)
        )


def test_every_kind_of_row_of_the_study_renders(small: Scene) -> None:
    """The stage's way, the same noise for all, a filter and both other parameterizations give icons that differ."""
    chosen = settings(steps=8, batch_size=6)  # the denoiser acts at every eighth step
    run = Run(params=None, outputs=Path())  # type: ignore[arg-type]  # not read
    material = Material(run, small.layer, chosen, 6, None)  # type: ignore[arg-type]  # not read
    vars(material)["cells"] = cells(small)
    vars(material)["magnitude"] = torch.rand(3, 24, 13, generator=torch.Generator().manual_seed(1)) + 0.5
    vars(material)["denoiser"] = StepFilters(image=(DenoiserFilter(Denoiser(), 0.3),), every=DENOISER_EVERY)
    unchanged = [one for one in VARIANTS if not (one.change or one.wider)]
    from_noise = [one for one in unchanged if one.start in ("noise", "same noise")]
    icons = [rendered(variant, material, chosen)[0] for variant in from_noise]
    assert len(icons) == 5
    assert {one.shape for one in icons} == {(6, 24, 24, 3)}
    assert all(not torch.equal(icons[a], icons[b]) for a in range(5) for b in range(a))


def test_maco_moves_phases_only_and_both_ways_climb(small: Scene) -> None:
    """MaCo's images have the magnitudes they were given; both it and the untrained network come nearer their cell."""
    fidelity = {}
    for steps in (1, 24):
        chosen = settings(steps=steps, contrast=None, learning_rate=0.25, cosine_power=2.0)
        extractor = FeatureExtractor(small.network, [small.layer], (24, 24), "float32")
        space = activation_space("centered", small.mean)
        objective = direction(small.layer, torch.from_numpy(small.means), space, chosen.cosine_power)
        generators = [image_generator(SEED, 0, objective.target_bytes(row)) for row in range(len(small.means))]
        noise, uniforms = noise_and_uniforms(generators, (3, 24, 24), steps, 4)
        magnitude = torch.rand(3, 24, 13, generator=torch.Generator().manual_seed(1)) + 0.5
        constrained = FixedMagnitudes(pixels(chosen, None), magnitude)
        prior = DeepImagePrior(pixels(chosen, chosen.contrast), SEED)
        kept = (extractor, objective, uniforms, chosen)
        maco = optimized(constrained, random_phases(noise), MACO_LEARNING_RATE, *kept)
        planes = constrained.pixels.encode(maco)
        found = torch.fft.rfft2(planes, norm="ortho").abs()[:, :, 1:12, 1:12]
        assert torch.allclose(found, magnitude[:, 1:12, 1:12].expand_as(found), atol=0.01)
        other = optimized(prior, prior.start(len(small.means)), PRIOR_LEARNING_RATE, *kept)
        for name, images in (("maco", maco), ("prior", other)):
            icons = (images * 255).round().byte().movedim(1, -1)
            scores = cells(small).measured(icons, 24).scores["fidelity_centred"]
            fidelity[name, steps] = float(np.median(scores))
    assert fidelity["maco", 24] > fidelity["maco", 1] + 0.05
    assert fidelity["prior", 24] > fidelity["prior", 1] + 0.05


def test_a_killed_study_keeps_its_finished_rows(tmp_path: Path) -> None:
    """A line that was cut short is left out; the lines before and after it are read."""
    rows = tmp_path / "rows.jsonl"
    assert study._kept(rows) == []
    rows.write_text('\n{"key": "a"}\n{"key": "b", "cent\n{"key": "c"}')
    assert [one["key"] for one in study._kept(rows)] == ["a", "c"]


def test_the_study_writes_its_tables_and_keeps_the_prose(tmp_path: Path) -> None:
    """A layer's table is written between its markers, other text and tables stay, missing markers are an error."""
    document = tmp_path / "study.md"
    other = "<!-- study: mixed4a -->\nits table\n<!-- end of study -->\n"
    document.write_text(f"Before.\n<!-- study: features.7 -->\nstale\n<!-- end of study -->\n{other}After.\n")
    numbers = {"centered": 0.9, "p10": 0.81, "raw": 0.95, "retrieval": 0.97, "recognized": 0.44, "percentile": 0.87}
    numbers |= {"icons_per_second": 3.21, "contrast": 0.18}
    page.rewrite(document, {"features.7": [{"name": "default", **numbers}]})
    text = document.read_text()
    assert "| default | 0.900 | 0.810 | 0.950 | 97% | 44% | 0.87 | 3.2 | 0.180 |" in text
    assert "(study/features.7.webp)" in text
    assert "stale" not in text
    assert text.startswith("Before.\n")
    assert text.endswith(f"{other}After.\n")
    with pytest.raises(ConfigError, match=r"study: features\.9"):
        page.rewrite(document, {"features.9": []})
    real = (ROOT / study.DOCUMENT).read_text()
    assert [found[2] for found in page.BLOCK.finditer(real)] == [
        *("features.7", "features.12", "_blocks.5", "_blocks.10", "mixed3b", "mixed4a")
    ]


def test_a_sheet_of_the_worst_icons_stays_small(tmp_path: Path) -> None:
    """Even rows of pure noise make an image below the size limit, as wide and high as its strips and names."""
    noisy = torch.randint(0, 256, (32, 96, 96, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    one = sheet.strip(noisy, 64)
    sheet.write_sheet(tmp_path / "sheet.webp", [(f"row {row}", one) for row in range(12)])
    assert (tmp_path / "sheet.webp").stat().st_size < sheet.LIMIT
    with Image.open(tmp_path / "sheet.webp") as image:
        assert image.size == (sheet.NAMES + 12 * 68 - 4, 12 * 68)
