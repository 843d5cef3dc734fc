"""The raw files of each data set: names, sizes, pinned digests and public mirrors.

Sources: MNIST (LeCun, Cortes and Burges), Fashion-MNIST (Xiao, Rasul and Vollgraf, arXiv 1708.07747) and CIFAR-10, binary
version (Krizhevsky 2009), each byte for byte as its authors published it. A file's path is the same in a local data folder
and in the cache.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class RawFile:
    """A published file: its path in a data folder, length in bytes, SHA-256 in hexadecimal, and the addresses that serve it."""

    path: str
    size: int
    sha256: str
    urls: tuple[str, ...] = ()


@dataclass(frozen=True)
class IdxFiles:
    """The four idx files of a set with MNIST's layout: 60,000 training and 10,000 test images of 28 x 28 pixels."""

    train_images: RawFile
    train_labels: RawFile
    test_images: RawFile
    test_labels: RawFile


@dataclass(frozen=True)
class CifarBatch:
    """One batch of 10,000 records: its name, the SHA-256 of its decompressed bytes, and its xz-packed form for a data folder."""

    name: str
    sha256: str
    packed: RawFile


def _idx_files(folder: str, bases: tuple[str, ...], files: dict[str, tuple[int, str]]) -> IdxFiles:
    return IdxFiles(*(RawFile(f"{folder}/{name}", size, sha, tuple(base + name for base in bases)) for name, (size, sha) in files.items()))


MNIST = _idx_files(
    "mnist",
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    {
        "train-images-idx3-ubyte.gz": (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        "train-labels-idx1-ubyte.gz": (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        "t10k-images-idx3-ubyte.gz": (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        "t10k-labels-idx1-ubyte.gz": (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    },
)

FASHION_MNIST = _idx_files(
    "fashion-mnist",
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    {
        "train-images-idx3-ubyte.gz": (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        "train-labels-idx1-ubyte.gz": (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        "t10k-images-idx3-ubyte.gz": (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        "t10k-labels-idx1-ubyte.gz": (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    },
)

CIFAR10_ARCHIVE = RawFile(
    "cifar-10/cifar-10-binary.tar.gz",
    170052171,
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    (
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz",
    ),
)


def _cifar_batch(name: str, sha: str, packed_size: int, packed_sha: str) -> CifarBatch:
    return CifarBatch(name, sha, RawFile(f"cifar-10/{name}.xz", packed_size, packed_sha))


CIFAR10_TRAIN = (
    _cifar_batch(
        "data_batch_1.bin",
        "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        21444296,
        "08cc5ab8a2a5372b1757290d7be341dc4b9c6a64965c6b3eb0c081ffad2006a5",
    ),
    _cifar_batch(
        "data_batch_2.bin",
        "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        21488492,
        "0d5ae08ffe2dadc00b8c8b4bceb4ad934bd3564e7481002a5b5ba21338c41116",
    ),
    _cifar_batch(
        "data_batch_3.bin",
        "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        21476224,
        "d75f8f34cdc0a91324f112f563fd89b42971dfe4967399445620dcf15fe1d8b3",
    ),
    _cifar_batch(
        "data_batch_4.bin",
        "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        21458848,
        "3029f141a690b832d16bf823f681c8815f047884186f7789892d320522015eb8",
    ),
    _cifar_batch(
        "data_batch_5.bin",
        "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        21416644,
        "7e368491b03b5668c7166bd7f5af981239ebf69ba2b853131d8794264e23a86d",
    ),
)

CIFAR10_TEST = _cifar_batch(
    "test_batch.bin",
    "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    21449292,
    "b17b76630f3d6046967f244872dd4abc5f1745a3a0b88f08cd367c9c7ebb8d01",
)

WORDNET_NOUNS = RawFile("wordnet/data.noun.gz", 4571976, "eb7de2d883af32d68de723e67a8f45866f9fbdccad603b0aa30962bf894495a8")
WORDNET_NOUNS_SIZE, WORDNET_NOUNS_SHA256 = 15300280, "fea17d2f9656611334eac790e5d69e47645fa180c4aa481fb4cd9b3520754ca2"
"""Bytes and digest of WordNet's noun file, unpacked."""

WORDNET_PACKAGE = RawFile(
    "wordnet/wordnet-base_3.0-37_all.deb",
    6467132,
    "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752",
    (
        "https://deb.debian.org/debian/pool/main/w/wordnet/wordnet-base_3.0-37_all.deb",
        "https://snapshot.debian.org/file/78cc404951819f319f979e9b5d08db8304ce49b9",
        "https://ftp.debian.org/debian/pool/main/w/wordnet/wordnet-base_3.0-37_all.deb",
    ),
)
