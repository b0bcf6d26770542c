"""Writes canonical.txt, the data of CanonicalForm.cs, from the Unicode tables of this Python: python3 canonical.py > canonical.txt"""

import unicodedata

print(f"# Unicode {unicodedata.unidata_version}: canonical decompositions and combining classes, Hangul syllables left out. Written by canonical.py.")
print("# D character = parts: the parts compose again; D character > parts: they do not")
print("# C first last class")
for code in range(0x110000):
    parts = unicodedata.decomposition(chr(code))
    if parts and not parts.startswith("<"):
        again = unicodedata.normalize("NFC", chr(code)) == chr(code)
        print("D", f"{code:04X}", "=" if again else ">", parts)

runs = []
for code in range(0x110000):
    kind = unicodedata.combining(chr(code))
    if kind and runs and runs[-1][1:] == [code - 1, kind]:
        runs[-1][1] = code
    elif kind:
        runs.append([code, code, kind])
for first, last, kind in runs:
    print("C", f"{first:04X}", f"{last:04X}", kind)
