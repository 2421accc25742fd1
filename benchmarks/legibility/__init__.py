"""Whether another network recognizes the icons, beside real patches, directions alone and other cells' directions."""
