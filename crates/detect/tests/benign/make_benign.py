#!/usr/bin/env python3
"""Makes files that real libraries write: no finding above `info` may come of them.

Usage: make_benign.py FOLDER        (needs requirements.txt; ./check installs it)

Beside it, in FOLDER-bad, a few HDF5 files that must be told.
"""
import argparse, collections, datetime, decimal, enum, fractions, io, pathlib, pickle, re, sys
import types, uuid, warnings

import joblib
import numpy as np
import pandas as pd
import scipy.sparse
import sklearn
from sklearn.utils import all_estimators

warnings.filterwarnings("ignore")
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(7)
made = 0


def pickled(name, value, protocols=range(6)):
    global made
    for protocol in protocols:
        try:
            data = pickle.dumps(value, protocol)
        except Exception:
            continue
        (folder / f"{name}-p{protocol}.pkl").write_bytes(data)
        made += 1


def dumped(name, value):
    global made
    try:
        joblib.dump(value, folder / f"{name}.joblib")
        made += 1
    except Exception as error:
        print(name, error, file=sys.stderr)


plain = {
    "none": None,
    "numbers": [0, -1, 2**70, 1.5, True, False, 3j, 255, 256, 65536],
    "text": ["a", "é", "日本", "x" * 300, "y" * 70000, "line\nline", "\\u0041", "os.system"],
    "bytes": [b"", b"abc", bytes(range(256)), bytearray(b"xyz"), b"\x00" * 70000],
    "nested": {"a": [{"b": ({1, 2}, frozenset({3}))}], "c": {"d": None}},
    "ordered": collections.OrderedDict(a=1, b=2),
    "counter": collections.Counter("hello"),
    "default": collections.defaultdict(list, a=[1]),
    "deque": collections.deque([1, 2, 3], maxlen=5),
    "times": [datetime.datetime(2024, 1, 2, 3, tzinfo=datetime.timezone.utc), datetime.date(2024, 1, 2),
              datetime.time(1, 2), datetime.timedelta(3)],
    "decimals": [decimal.Decimal("1.5"), fractions.Fraction(1, 3)],
    "uuid": uuid.UUID(int=5),
    "path": pathlib.Path("/data/model.bin"),
    "namespace": argparse.Namespace(lr=0.1, epochs=3),
    "simple": types.SimpleNamespace(a=1),
    "pattern": re.compile(r"\d+", re.I),
    "range": [range(5), slice(1, 2)],
    "many": list(range(20000)),
    "words": {f"word{n}": n for n in range(30000)},
    "shared": (lambda one: [one, one, {"again": one}])([1, 2]),
    "deep": (lambda make: make(make, 200))(lambda make, n: [] if n == 0 else [make(make, n - 1)]),
}
for name, value in plain.items():
    pickled(f"plain-{name}", value)

arrays = {
    str(kind).replace("<", "").replace("|", "").replace("[", "").replace("]", ""): np.zeros((3, 4), kind)
    for kind in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "c8", "c16", "?",
                 "S5", "U5", "M8[ns]", "m8[s]", ">f4", ">i8"]
}
arrays["struct"] = np.zeros(4, [("a", "f4"), ("b", "i8", (2,))])
arrays["random"] = rng.normal(size=(50, 60))
arrays["fortran"] = np.asfortranarray(rng.normal(size=(5, 6)))
arrays["empty"] = np.zeros((0, 3))
arrays["scalar"] = np.array(3.0)
arrays["large"] = rng.normal(size=200_000)
for name, array in arrays.items():
    name = name.replace(">", "big-").replace("?", "bool")
    pickled(f"numpy-{name}", array)
    dumped(f"numpy-{name}", {"first": array, "second": [array, "between", array]})
    np.save(folder / f"numpy-{name}.npy", array)
    made += 1
objects = np.array([1, "two", None, [3]], dtype=object)
pickled("numpy-objects", objects)
dumped("numpy-objects", [objects, arrays["f8"]])
np.save(folder / "numpy-objects.npy", objects, allow_pickle=True)
pickled("numpy-scalars", [np.float32(1), np.int64(2), np.bool_(True), np.datetime64("2024-01-01")])
pickled("numpy-masked", np.ma.array([1, 2, 3], mask=[0, 1, 0]))
pickled("numpy-matrix", np.matrix([[1, 2], [3, 4]]))
pickled("numpy-recarray", np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]))
pickled("numpy-dtypes", [np.dtype("f4"), np.dtype([("a", "O")]), np.float32, np.int8, np.ndarray])
pickled("numpy-random", [np.random.RandomState(1), np.random.default_rng(1)])
for kind in [np.random.MT19937, np.random.PCG64, np.random.Philox, np.random.SFC64, np.random.PCG64DXSM]:
    pickled(f"numpy-{kind.__name__}", np.random.Generator(kind(3)))

for kind in ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]:
    pickled(f"scipy-{kind}", scipy.sparse.random(6, 7, 0.3, format=kind, random_state=1))
    array = getattr(scipy.sparse, f"{kind}_array")(scipy.sparse.random(6, 7, 0.3, random_state=1))
    pickled(f"scipy-{kind}-array", array)
    dumped(f"scipy-{kind}", array)

frame = pd.DataFrame({
    "i": [1, 2, 3], "f": [1.0, None, 3.0], "s": ["a", "b", None], "b": [True, False, True],
    "t": pd.date_range("2024-01-01", periods=3), "z": pd.date_range("2024-01-01", periods=3, tz="UTC"),
    "c": pd.Categorical(["x", "y", "x"]), "d": pd.to_timedelta([1, 2, 3], "D"),
    "n": pd.array([1, None, 3], dtype="Int64"), "p": pd.period_range("2024-01", periods=3, freq="M"),
    "o": [{"a": 1}, [2], "x"], "v": pd.interval_range(0, 3),
})
pickled("pandas-frame", frame)
dumped("pandas-frame", frame)
for column in frame:
    pickled(f"pandas-series-{column}", frame[column])
pickled("pandas-indexed", frame.set_index(["i", "s"]))
pickled("pandas-times", frame.set_index("t"))
pickled("pandas-range", pd.RangeIndex(5))
pickled("pandas-stamp", [pd.Timestamp("2024-01-01"), pd.Timedelta("1D"), pd.NaT, pd.NA,
                         pd.Period("2024-01"), pd.Interval(0, 1)])

x = np.abs(rng.normal(size=(60, 5)))
labels = (x[:, 0] > x[:, 1]).astype(int)
fit = 0
for number, (name, kind) in enumerate(all_estimators()):
    try:
        needs = kind.__name__
        if needs in ("ColumnTransformer",):
            one = kind([("a", sklearn.preprocessing.StandardScaler(), [0, 1])])
        elif needs in ("Pipeline",):
            one = kind([("a", sklearn.preprocessing.StandardScaler()), ("b", sklearn.linear_model.Ridge())])
        elif needs in ("FeatureUnion",):
            one = kind([("a", sklearn.preprocessing.StandardScaler())])
        elif needs in ("VotingClassifier", "StackingClassifier"):
            one = kind([("a", sklearn.linear_model.LogisticRegression())])
        elif needs in ("VotingRegressor", "StackingRegressor"):
            one = kind([("a", sklearn.linear_model.Ridge())])
        elif needs in ("GridSearchCV", "HalvingGridSearchCV"):
            one = kind(sklearn.linear_model.Ridge(), {"alpha": [0.1, 1]})
        elif needs in ("RandomizedSearchCV", "HalvingRandomSearchCV"):
            one = kind(sklearn.linear_model.Ridge(), {"alpha": [0.1, 1]}, n_iter=2)
        elif "estimator" in kind.__init__.__code__.co_varnames and needs not in ("BaggingClassifier", "BaggingRegressor", "AdaBoostClassifier", "AdaBoostRegressor"):
            one = kind(sklearn.linear_model.LogisticRegression())
        else:
            one = kind()
        if hasattr(one, "n_estimators"):
            one.set_params(n_estimators=3)
        if hasattr(one, "max_iter"):
            one.set_params(max_iter=20)
    except Exception:
        continue
    try:
        one.fit(x, labels)
        fit += 1
    except Exception:
        pass  # An estimator that was not fitted is a file people keep as well.
    pickled(f"sklearn-{name}", one, [number % 6, 4])
    dumped(f"sklearn-{name}", one)

# XGBoost and LightGBM: wrappers, boosters, and the formats of their own.
import lightgbm
import xgboost

for kind in [xgboost.XGBClassifier, xgboost.XGBRegressor, xgboost.XGBRFClassifier, xgboost.XGBRanker]:
    one = kind(n_estimators=2, max_depth=2)
    one.fit(x, labels, qid=np.zeros(len(x))) if kind is xgboost.XGBRanker else one.fit(x, labels)
    pickled(f"xgboost-{kind.__name__}", one)
    dumped(f"xgboost-{kind.__name__}", one)
    for end in ["json", "ubj"]:
        one.get_booster().save_model(folder / f"xgboost-{kind.__name__}.{end}")
        made += 1
pickled("xgboost-booster", one.get_booster())
for kind in [lightgbm.LGBMClassifier, lightgbm.LGBMRegressor]:
    one = kind(n_estimators=2, verbose=-1).fit(x, labels)
    pickled(f"lightgbm-{kind.__name__}", one)
    dumped(f"lightgbm-{kind.__name__}", one)
    one.booster_.save_model(folder / f"lightgbm-{kind.__name__}.txt")
    made += 1
pickled("lightgbm-booster", one.booster_)

# Keras in HDF5: the configuration is an attribute of the root, whatever the layout of the file.
import h5py
import json

dense = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2, "activation": "relu"},
         "registered_name": None}
old = {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"units": 2}}] * 400}
for version in ["earliest", "latest"]:
    for name, config in [("new", {"class_name": "Sequential", "config": {"layers": [dense]}}), ("old", old)]:
        with h5py.File(folder / f"keras-{name}-{version}.h5", "w", libver=version) as file:
            file.attrs["model_config"] = json.dumps(config)
            file.attrs["keras_version"] = b"2.9.0"
            file.attrs["training_config"] = json.dumps({"loss": "mse", "optimizer_config": {"class_name": "Adam", "config": {}}})
            weights = file.create_group("model_weights")
            for number in range(30):
                weights.create_dataset(f"dense_{number}/kernel:0", data=rng.normal(size=(40, 40)))
        made += 1
    with h5py.File(folder / f"plain-{version}.h5", "w", libver=version) as file:
        file["a"] = rng.normal(size=(100, 100))
    made += 1

# What must be told: the same files with a layer that carries code.
bad = folder.parent / f"{folder.name}-bad"
bad.mkdir(parents=True, exist_ok=True)
code = "4wEAAAAAAAAAAAAAAAAAAAAAAAAAQwAAAHMEAAAAfABTACkBTqkAKQHaAnhz2gJvc9oGc3lzdGVt"
layer = {"class_name": "Lambda", "config": {"name": "l", "function": [code, None, None]}}
for version in ["earliest", "latest"]:
    for name, many in [("small", 1), ("large", 3000)]:
        config = {"class_name": "Functional", "config": {"layers": [dense] * many + [layer]}}
        with h5py.File(bad / f"keras-{name}-{version}.h5", "w", libver=version) as file:
            file.attrs["model_config"] = json.dumps(config)
    with h5py.File(bad / f"block-{version}.bin", "w", libver=version, userblock_size=512) as file:
        file.attrs["model_config"] = np.bytes_(json.dumps({"class_name": "Model", "config": layer}))

# ONNX, written by its own library.
import onnx
from onnx import TensorProto, helper, numpy_helper

value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
for size in [1, 40]:
    weights = [numpy_helper.from_array(rng.normal(size=(4, 4)).astype("f4"), f"w{n}") for n in range(size)]
    nodes = [helper.make_node("MatMul", ["x" if n == 0 else f"y{n - 1}", f"w{n}"], [f"y{n}"]) for n in range(size)]
    last = helper.make_tensor_value_info(f"y{size - 1}", TensorProto.FLOAT, [1, 4])
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [value], [last], weights)), folder / f"net-{size}.onnx")
    made += 1

# torch's layouts, written with classes of the same names: the library itself is too large.
import zipfile


def module(name):
    made_module = types.ModuleType(name)
    sys.modules[name] = made_module
    return made_module


torch, utils = module("torch"), module("torch._utils")
torch._utils = utils
nn, parameter = module("torch.nn"), module("torch.nn.parameter")


def named(owner, name):
    def function(*arguments):
        raise RuntimeError("never called")

    function.__module__, function.__qualname__, function.__name__ = owner.__name__, name, name
    setattr(owner, name, function)
    return function


rebuild, rebuild_parameter = named(utils, "_rebuild_tensor_v2"), named(utils, "_rebuild_parameter")
storages = {name: type(name, (), {"__module__": "torch"}) for name in ["FloatStorage", "HalfStorage", "LongStorage", "BFloat16Storage"]}
for name, kind in storages.items():
    setattr(torch, name, kind)


class Storage:
    def __init__(self, kind, size):
        self.kind, self.size = kind, size


class Tensor:
    def __init__(self, kind, shape, leaf=False):
        self.storage, self.shape, self.leaf = Storage(kind, int(np.prod(shape))), shape, leaf

    def __reduce__(self):
        strides = tuple(int(np.prod(self.shape[n + 1:])) for n in range(len(self.shape)))
        plain = (self.storage, 0, tuple(self.shape), strides, False, collections.OrderedDict())
        if self.leaf:
            inner = Tensor(self.storage.kind, self.shape)
            return rebuild_parameter, (inner, True, collections.OrderedDict())
        return rebuild, plain


class Pickler(pickle.Pickler):
    def __init__(self, out):
        super().__init__(out, protocol=2)
        self.keys = {}

    def persistent_id(self, value):
        if isinstance(value, Storage):
            key = str(self.keys.setdefault(id(value), len(self.keys)))
            self.sizes = getattr(self, "sizes", {})
            self.sizes[key] = value.size
            return ("storage", storages[value.kind], key, "cpu", value.size)


def checkpoint(number):
    kind = list(storages)[number % 4]
    state = collections.OrderedDict((f"layer{n}.weight", Tensor(kind, (4, n + 1), n % 2 == 1)) for n in range(1 + number % 9))
    return [
        state,
        {"state_dict": state, "epoch": 3, "loss": 0.5, "best": None, "names": ["a", "b"]},
        {"model": state, "optimizer": {"state": {0: {"step": 5, "exp_avg": Tensor(kind, (4, 2))}},
                                       "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999), "params": [0]}]}},
        {"state_dict": state, "hyper_parameters": {"lr": 0.1}, "callbacks": {}, "lr_schedulers": [],
         "pytorch-lightning_version": "2.6.6", "args": argparse.Namespace(a=1), "rng": np.random.RandomState(1)},
    ][number % 4]


for number in range(60):
    out = io.BytesIO()
    pickler = Pickler(out)
    keep = checkpoint(number)
    pickler.dump(keep)
    root = ["archive", "model", "net-1", "a b"][number % 4]
    if number % 5 < 4:
        end = ["pt", "pth", "ckpt", "bin"][number % 4]
        with zipfile.ZipFile(folder / f"torch-{number}.{end}", "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(f"{root}/data.pkl", out.getvalue())
            archive.writestr(f"{root}/byteorder", "little")
            for key, size in pickler.sizes.items():
                archive.writestr(f"{root}/data/{key}", rng.bytes(size * 4))
            archive.writestr(f"{root}/version", "3\n")
    else:
        legacy = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}]
        head = b"".join(pickle.dumps(value, 2) for value in legacy)
        tail = pickle.dumps(sorted(pickler.sizes), 2) + b"".join(
            size.to_bytes(8, "little") + rng.bytes(size * 4) for _, size in sorted(pickler.sizes.items()))
        (folder / f"torch-legacy-{number}.pt").write_bytes(head + out.getvalue() + tail)
    made += 1
print(made, "files,", fit, "fitted estimators")
