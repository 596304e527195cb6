#!/usr/bin/env python3
"""Makes files that real libraries write: no finding above `info` may come of them.

Usage: make_benign.py FOLDER        (needs requirements.txt; ./check installs it)
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
print(made, "files,", fit, "fitted estimators")
