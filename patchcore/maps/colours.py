"""The colours and steps of the heat scale, which a browser needs to paint by the rule in `rendering`."""

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]

# matplotlib's inferno from 0.25 to 1 in 256 steps: its darkest quarter would read as a shadow on the part.
_INFERNO = bytes.fromhex(
    "57106d58106e59116e5a116e5b126e5d126e5e126e5f136e60136e61146e63146e64156e65156e66166e67166e69166e"
    "6a176e6b176e6c186e6d186e6f196e70196e71196e721a6e731a6e741b6e761b6e771c6d781c6d791c6d7a1d6d7c1d6d"
    "7d1e6d7e1e6c7f1f6c801f6c821f6c83206b84206b85216b86216b88226a89226a8a226a8b236a8c23698e24698f2469"
    "9024689125689225679326679526679627669727669827669928659b28659c29649d29649e2a639f2a63a02b62a22b62"
    "a32c61a42c61a52d60a62d60a82d5fa92e5faa2e5eab2f5eac2f5dad305cae305cb0315bb1325bb2325ab33359b43359"
    "b53458b63457b83557b93556ba3655bb3755bc3754bd3853be3853bf3952c03a51c13a50c23b50c43c4fc53c4ec63d4d"
    "c73e4dc83f4cc93f4bca404acb414acc4149cd4248ce4347cf4446d04545d14545d24644d34743d44842d54941d54a41"
    "d64a40d74b3fd84c3ed94d3dda4e3cdb4f3bdc503bdd513add5239de5338df5437e05536e15635e15734e25833e35933"
    "e45a32e55b31e55c30e65d2fe75e2ee75f2de8602ce9612be9622aea6429eb6529eb6628ec6727ed6826ed6925ee6a24"
    "ee6c23ef6d22f06e21f06f20f1711ff1721ef2731df2741cf3751bf3771af47819f47918f47a17f57c16f57d15f67e14"
    "f68013f68112f78211f78410f7850ff8860ef8880df8890cf98a0bf98c0bf98d0af98e09fa9008fa9108fa9207fa9407"
    "fb9506fb9706fb9806fb9906fb9b06fb9c06fb9d07fc9f07fca008fca208fca309fca50afca60bfca70cfca90efcaa0f"
    "fcac10fcad12fcaf13fcb014fcb116fcb317fcb419fbb61afbb71cfbb91efbba1ffbbc21fbbd23fbbf24fac026fac228"
    "fac32afac52cfac62ef9c72ff9c931f9ca33f8cc35f8cd37f8cf39f8d03bf7d23ef7d340f7d542f6d644f6d846f5d949"
    "f5db4bf5dc4ef4dd50f4df53f4e055f3e258f3e35bf3e55df2e660f2e763f2e966f2ea69f1eb6cf1ed6ff1ee72f1ef75"
    "f1f078f2f17bf2f27ef2f482f3f585f3f688f4f78bf4f88ef5f991f6f994f7fa97f8fb9af9fc9cfafd9ffbfea2fcffa4"
)
HEAT_TABLE: NDArray[np.uint8] = np.frombuffer(_INFERNO, dtype=np.uint8).reshape(256, 3)
ALPHA_RAMP = 24  # levels above the threshold over which the heat fades in: about 9 % of the scale
CONTOUR_LINE: Colour = (
    125,
    240,
    255,
)  # bright on dark parts, and different from all colours of heat and verdicts
CONTOUR_RIM: Colour = (16, 20, 24)  # dark, so that the line also reads on bright parts
MAP_GROUND: Colour = (18, 20, 24)
MAP_GREYS = 40
# Okabe and Ito's palette ("Color Universal Design", 2008): distinct for every kind of colour vision, and in lightness.
AGREED: Colour = (0, 158, 115)  # bluish green
MISSED: Colour = (213, 94, 0)  # vermilion
EXTRA: Colour = (240, 228, 66)  # yellow
