"""The words of the captions, and words that captions never use, kept to measure with."""

NOUNS: dict[str, tuple[str, ...]] = {
    "cat": ("cat", "cat", "cat", "kitten", "kitty"),
    "dog": ("dog", "dog", "dog", "puppy", "doggy"),
    "bird": ("bird", "bird", "bird", "songbird"),
    "horse": ("horse", "horse", "horse", "pony"),
    "cow": ("cow", "cow", "cow", "dairy cow"),
    "sheep": ("sheep", "sheep", "sheep", "lamb"),
    "rabbit": ("rabbit", "rabbit", "bunny", "bunny rabbit"),
    "duck": ("duck", "duck", "duck", "duckling"),
    "fish": ("fish", "fish", "fish", "little fish"),
    "teddy bear": ("teddy bear", "teddy bear", "teddy", "toy bear", "stuffed bear"),
    "man": ("man", "man", "man", "guy", "gentleman"),
    "woman": ("woman", "woman", "woman", "lady"),
    "boy": ("boy", "boy", "boy", "little boy", "young boy"),
    "girl": ("girl", "girl", "girl", "little girl", "young girl"),
    "robot": ("robot", "robot", "robot", "toy robot"),
    "bus": ("bus", "bus", "double-decker bus", "double-decker bus", "double-decker"),
    "car": ("car", "car", "car", "automobile"),
    "truck": ("truck", "truck", "truck", "lorry"),
    "train": ("train", "train", "train", "steam train", "locomotive"),
    "bicycle": ("bicycle", "bicycle", "bike", "bike"),
    "airplane": ("airplane", "airplane", "plane", "plane", "aeroplane", "aircraft"),
    "rocket": ("rocket", "rocket", "rocket", "space rocket"),
    "boat": ("boat", "boat", "sailboat", "sailing boat"),
    "balloon": ("hot-air balloon", "balloon", "balloon", "hot air balloon"),
    "house": ("house", "house", "house", "little house", "home"),
    "castle": ("castle", "castle", "castle", "old castle"),
    "lighthouse": ("lighthouse", "lighthouse", "lighthouse", "tall lighthouse"),
    "tree": ("tree", "tree", "tree", "big tree", "leafy tree"),
    "table": ("table", "table", "table", "dining table"),
    "chair": ("chair", "chair", "chair", "kitchen chair"),
    "sofa": ("sofa", "sofa", "couch", "couch"),
    "bench": ("bench", "bench", "bench", "park bench"),
    "lamp": ("lamp", "lamp", "lamp", "table lamp"),
    "cup": ("cup", "cup", "cup", "coffee cup", "tea cup"),
    "book": ("book", "book", "book", "open book"),
    "apple": ("apple", "apple", "apple", "fresh apple"),
    "cake": ("cake", "cake", "cake", "birthday cake"),
    "flower": ("flower", "flower", "flower", "big flower"),
    "ball": ("ball", "ball", "ball", "toy ball"),
    "umbrella": ("umbrella", "umbrella", "umbrella", "open umbrella"),
    "goggles": ("goggles", "goggles", "goggles", "pair of goggles"),
    "hat": ("hat", "hat", "hat", "brimmed hat"),
    "person": ("person", "person", "human"),
    "child": ("child", "child", "kid"),
}
"""Singular names of every kind and group; the common ones come more than once."""
STREET_LAMP = ("street lamp", "street light", "lamp")

PLURALS = {
    "man": "men",
    "woman": "women",
    "gentleman": "gentlemen",
    "sheep": "sheep",
    "fish": "fish",
    "child": "children",
    "person": "people",
    "aircraft": "aircraft",
    "goggles": "goggles",
}
"""Last words whose plural is not regular."""


def plural(noun: str) -> str:
    """`noun` for more than one; only its last word changes."""
    head, space, last = noun.rpartition(" ")
    if last in PLURALS:
        return head + space + PLURALS[last]
    if last.endswith("y") and last[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return noun + ("es" if last.endswith(("s", "sh", "ch", "x")) else "s")


FILLERS = ("cute", "nice", "lovely", "pretty", "beautiful")
SIZE_WORDS = ("little ", "big ", "old ", "tall ", "young ", "fresh ", "leafy ")
"""Words of `NOUNS` that give way to a colour, as "a little red house" would be another order."""

COUNTS: dict[int, tuple[str, ...]] = {
    2: ("two", "two", "two", "2", "a pair of", "a couple of"),
    3: ("three", "three", "three", "3", "a group of three", "a trio of"),
}

TIME_PHRASES: dict[str, tuple[str, ...]] = {
    "day": (
        "by day",
        "during the day",
        "in the daytime",
        "in daylight",
        "on a sunny day",
        "in the sunshine",
        "under a blue sky",
    ),
    "sunset": (
        "at sunset",
        "at sunset",
        "at sunset",
        "at sundown",
        "in the evening sun",
        "as the sun goes down",
        "in the glow of the sunset",
        "with the sun setting",
    ),
    "night": (
        "at night",
        "at night",
        "at night",
        "by night",
        "after dark",
        "in the dark of night",
        "under the stars",
    ),
}

EMPTY: dict[str, tuple[str, ...]] = {
    "skyline": (
        "skyline",
        "a skyline",
        "a city skyline",
        "the city skyline",
        "tall buildings",
        "the city",
        "a city with tall buildings",
        "skyscrapers by the river",
        "a big city",
    ),
    "street": ("a street", "an empty street", "a street scene", "a quiet road", "a row of houses"),
    "field": ("a field", "an empty field", "a green field", "the countryside", "a grassy field"),
    "sea": ("the sea", "the open sea", "the ocean", "the sea and the sky", "calm water"),
    "beach": ("a beach", "an empty beach", "a sandy beach", "the beach", "the seaside"),
    "mountains": (
        "mountains",
        "high mountains",
        "a mountain landscape",
        "snow-capped mountains",
        "the mountains",
    ),
    "snow": (
        "a snowy field",
        "a winter landscape",
        "a snowy landscape",
        "a field covered in snow",
        "a winter scene",
    ),
}
"""A scene with nothing in it."""

PLACES: dict[str, tuple[str, ...]] = {
    "street": ("on the road", "on the street", "in the street", "on a road", "in a street"),
    "room": ("in a room", "in the room", "in a living room", "indoors", "inside a room"),
    "field": (
        "in a field",
        "in the field",
        "on the grass",
        "in a grassy field",
        "in a green field",
    ),
    "sea": ("on the sea", "on the water", "at sea", "on the ocean", "out on the sea"),
    "beach": ("on the beach", "on a beach", "on the sand", "at the beach", "on a sandy beach"),
    "mountains": ("in the mountains", "in front of mountains", "in a mountain landscape"),
    "snow": ("in the snow", "in a snowy field", "in the winter snow", "in a winter landscape"),
}
"""Where things are that stand in a scene."""

GROUNDS: dict[str, tuple[str, ...]] = {
    "skyline": ("the city", "a city skyline", "the skyline", "tall buildings", "a skyline"),
    "street": ("the street", "the road", "a street"),
    "field": ("a field", "the fields", "a grassy field", "a green field"),
    "sea": ("the sea", "the water", "the ocean", "the open sea"),
    "beach": ("the beach", "a beach", "a sandy beach"),
    "mountains": ("the mountains", "mountains", "high mountains"),
    "snow": ("the snow", "a snowy field", "a winter landscape"),
}
"""What flying things are over."""

SCENE_FIRST: dict[str, tuple[str, ...]] = {
    "street": ("a street scene with", "a street with", "a road with"),
    "field": ("a field with", "a green field with"),
    "room": ("a room with", "a living room with"),
    "beach": ("a beach with", "a sandy beach with"),
    "mountains": ("a mountain landscape with", "mountains with"),
    "snow": ("a snowy field with", "a winter scene with"),
}

LIGHTS: dict[str, tuple[str, ...]] = {
    "sunset": ("a sunset over", "sunset over", "a beautiful sunset over"),
    "night": ("a starry night over", "a night sky over", "a clear night over"),
}
"""A time of day over a scene with nothing in it."""

JOINTS: dict[str, tuple[str, ...]] = {
    "left of": (
        "to the left of",
        "to the left of",
        "on the left of",
        "on the left side of",
        "left of",
    ),
    "right of": (
        "to the right of",
        "to the right of",
        "on the right of",
        "on the right side of",
        "right of",
    ),
    "next to": ("next to", "next to", "beside", "by", "alongside"),
    "on": ("on", "on", "on", "on top of"),
    "under": ("under", "under", "underneath", "beneath", "below"),
    "in front of": ("in front of",),
    "over": ("over", "above", "high above", "in the sky over"),
    "wearing": ("wearing", "wearing", "with", "in", "that is wearing"),
}
"""Words for a relation between two things."""

RESTING: dict[str, tuple[str, ...]] = {
    "sitting": ("sitting", "is sitting", "that is sitting", "sits", "that sits"),
    "standing": ("standing", "is standing", "that is standing", "stands"),
    "lying": ("lying", "is lying", "is lay", "that is lying", "lies", "resting"),
    "flying": ("flying", "is flying", "that is flying", "in flight"),
    "perched": ("perched", "is perched", "sitting", "perching"),
}
"""Verbs that name a pose."""

LOOKS = ("staring at the camera", "looking at the camera", "facing the camera", "up close")

FRAMES = (
    "a picture of {}",
    "a photo of {}",
    "a photo of {}",
    "an image of {}",
    "a drawing of {}",
    "an illustration of {}",
    "a painting of {}",
    "there is {}",
    "here is {}",
    "we see {}",
)

_HELD_OUT: dict[str, str] = {
    "cat": "tabby moggy feline tomcat",
    "dog": "hound mutt canine pooch",
    "bird": "sparrow robin finch birdie",
    "horse": "stallion mare steed foal",
    "cow": "heifer calf ox",
    "sheep": "ewe ram",
    "rabbit": "hare cottontail",
    "duck": "mallard drake",
    "fish": "trout salmon carp",
    "teddy bear": "plushie cub",
    "man": "bloke fellow chap",
    "woman": "dame madam",
    "boy": "lad schoolboy",
    "girl": "lass schoolgirl",
    "robot": "android droid automaton",
    "bus": "coach omnibus",
    "car": "sedan coupe hatchback motorcar",
    "truck": "pickup hauler",
    "train": "railcar choo-choo",
    "bicycle": "pushbike two-wheeler",
    "airplane": "jet airliner jetliner",
    "rocket": "spaceship spacecraft",
    "boat": "dinghy yacht vessel ship",
    "balloon": "aerostat dirigible",
    "house": "cottage cabin dwelling bungalow",
    "castle": "fortress palace citadel",
    "lighthouse": "beacon pharos",
    "tree": "oak elm maple",
    "table": "desk bureau",
    "chair": "stool armchair",
    "sofa": "settee loveseat divan",
    "bench": "pew",
    "lamp": "lantern lamppost",
    "cup": "mug beaker goblet",
    "book": "novel textbook tome",
    "apple": "pippin fruit",
    "cake": "gateau pastry",
    "flower": "blossom bloom daisy",
    "ball": "sphere orb",
    "umbrella": "parasol brolly sunshade",
    "goggles": "spectacles eyeglasses",
    "hat": "cap bonnet fedora",
    "red": "crimson scarlet",
    "orange": "amber tangerine",
    "yellow": "golden lemon",
    "green": "emerald lime",
    "blue": "azure navy cobalt",
    "purple": "violet lilac",
    "white": "ivory snow-white",
    "black": "jet-black ebony",
    "brown": "chestnut tan",
    "grey": "silver ashen",
    "skyline": "metropolis downtown high-rises",
    "street": "avenue boulevard lane",
    "room": "parlour lounge",
    "field": "meadow lawn pasture",
    "sea": "lagoon bay",
    "beach": "seashore coast shore",
    "mountains": "alps peaks",
    "snow": "tundra wintertime",
    "portrait": "headshot",
    "day": "noon midday",
    "sunset": "dusk twilight nightfall",
    "night": "midnight moonlight",
}

HELD_OUT_WORDS: dict[str, str] = {
    word: name for name, words in _HELD_OUT.items() for word in words.split()
}
"""Words that no caption uses, each with the kind, colour, scene or time that it means."""
