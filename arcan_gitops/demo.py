"""The demo identity: committed, public, worthless. Servers refuse it unless told otherwise."""

from typing import Final

# The public half of demo/worthless-identity.txt, to which the sample realms are encrypted.
DEMO_RECIPIENT: Final = "age1mu6etm27d9gf7ngnt44khat405zjefv424setze2402qy3djvgasmvcvnc"
