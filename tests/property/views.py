# SPDX-License-Identifier: MIT
"""Random views of NumPy arrays, one case a line, for test_views.c to follow.

base: TYPESTR ORDER NDIM LENGTHS      then steps, each ended by ';'
      slice AXIS START STOP STEP      'x' stands for a bound that is left out
      index AXIS INDEX
      transpose AXES
      reshape NDIM LENGTHS
      broadcast NDIM LENGTHS
      ref TEXT                        (without spaces)
result: '=' OFFSET NDIM LENGTHS STRIDES C_CONTIGUOUS F_CONTIGUOUS, or '!' when the last step fails
"""
import math
import random
import sys

import numpy as np

random.seed(int(sys.argv[1]))
TYPES = ["|b1", "|i1", "<i2", "<f4", "<f8", "<c16", "<M8[ns]", "|S3", "<U2"]


def lengths():
    n = random.choice([0, 1, 1, 2, 2, 3, 3, 4, 6])
    shape = [random.choice([0, 1, 1, 2, 3, 4, 5, 7, 12]) for _ in range(n)]
    return shape if math.prod(shape) <= 2000 else lengths()


def bound(length):
    return random.choice([None, None, 0, -1, length, random.randint(-length - 3, length + 3),
                          random.randint(-length - 3, length + 3), 2**62, -(2**62)])


def step():
    return random.choice([1, 1, 1, 2, 3, -1, -1, -2, -5, 7, 2**61, -(2**61)])


def text(value):
    return "x" if value is None else str(value)


def slice_step(a):
    axis = random.randrange(-a.ndim, a.ndim)
    start, stop, by = bound(a.shape[axis]), bound(a.shape[axis]), step()
    key = [slice(None)] * a.ndim
    key[axis] = slice(start, stop, by)
    return f"slice {axis} {text(start)} {text(stop)} {by}", lambda: a[tuple(key)]


def index_step(a):
    axis = random.randrange(-a.ndim, a.ndim)
    index = random.randint(-a.shape[axis] - 1, a.shape[axis])
    key = [slice(None)] * a.ndim
    key[axis] = index
    return f"index {axis} {index}", lambda: a[(*key, ...)]


def transpose_step(a):
    axes = list(range(a.ndim))
    random.shuffle(axes)
    axes = [axis - random.choice([0, a.ndim]) for axis in axes]
    if a.ndim > 1 and random.random() < 0.1:
        axes[0] = axes[1]
    return "transpose " + " ".join(map(str, axes)), lambda: a.transpose(axes)


def factors(size):
    shape = []
    while size > 1:
        f = random.choice([d for d in range(1, size + 1) if size % d == 0])
        shape.append(f)
        size //= f
        if len(shape) > 6:
            shape.append(size)
            break
    if size == 0:
        shape = random.choice([[0], [3, 0], [0, 2, 2], [0, 0]])
    while random.random() < 0.3:
        shape.insert(random.randint(0, len(shape)), 1)
    return shape


def reshape_step(a):
    shape = factors(a.size)
    if shape and random.random() < 0.4:
        shape[random.randrange(len(shape))] = -1
    if shape and random.random() < 0.1:
        shape[random.randrange(len(shape))] = random.choice([2, 3, -1])

    def apply():
        b = a.reshape(shape)
        if b.size and not np.may_share_memory(a, b):
            raise ValueError("copied")
        return b

    return f"reshape {len(shape)} " + " ".join(map(str, shape)), apply


def broadcast_step(a):
    shape = [random.choice([n, n, 3]) if n == 1 else n for n in a.shape]
    while random.random() < 0.4:
        shape.insert(0, random.choice([0, 1, 2, 3]))
    if shape and random.random() < 0.1:
        shape[random.randrange(len(shape))] += 1
    return f"broadcast {len(shape)} " + " ".join(map(str, shape)), lambda: np.broadcast_to(a, shape)


def ref_step(a):
    items = []
    rest = random.randint(0, a.ndim + (random.random() < 0.1))
    for axis in range(rest):
        length = a.shape[axis] if axis < a.ndim else 3
        if random.random() < 0.3:
            items.append(str(random.randint(-length, length)))
        else:
            start, stop, by = bound(length), bound(length), step()
            item = ("" if start is None else str(start)) + ":" + ("" if stop is None else str(stop))
            items.append(item + random.choice([f":{by}", f":{by}", ":", ""]))
    if not items or random.random() < 0.3:
        items.insert(random.randint(0, len(items)), "...")
    written = "[" + ",".join(items) + "]"
    return "ref " + written, lambda: eval("a" + written[:-1] + ",...]" if "..." not in written
                                          else "a" + written, {"a": a})


STEPS = [slice_step, slice_step, index_step, transpose_step, reshape_step, reshape_step,
         broadcast_step]


def emit(only_refs):
    dtype, order = random.choice(TYPES), random.choice("CF")
    shape = lengths()
    base = a = np.zeros(shape, dtype, order=order)
    line = [f"{dtype} {order} {len(shape)} " + " ".join(map(str, shape)), ";"]
    for _ in range(random.randint(1, 5)):
        steps = [ref_step] if only_refs else STEPS if a.ndim else STEPS[4:]
        written, apply = random.choice(steps)(a)
        line += [written, ";"]
        try:
            a = apply()
        except (IndexError, ValueError):
            print(*line, "!")
            return
    offset = a.__array_interface__["data"][0] - base.__array_interface__["data"][0] if a.size else 0
    print(*line, "=", offset, a.ndim, *a.shape, *a.strides,
          int(a.flags.c_contiguous), int(a.flags.f_contiguous))


for number in range(int(sys.argv[2])):
    emit(number % 3 == 0)
