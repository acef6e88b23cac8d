import numpy as np
import torch

from workbench.corpus import counters


def test_the_mixing_function_is_splitmix64() -> None:
    # the first three outputs of the published generator for seed 1234567
    state, outputs = 1234567, []
    for _ in range(3):
        state += counters.GAMMA
        outputs.append(counters.mix(state))
    assert outputs == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_python_and_torch_mix_alike() -> None:
    values = [0, 1, -1, 2**62, -(2**63), 987654321]
    mixed = counters.mix_tensor(torch.tensor(values))
    assert mixed.tolist() == [counters.signed(counters.mix(value)) for value in values]


def test_numpy_orders_by_the_same_mix() -> None:
    hashes = [counters.mix(7 + counters.GAMMA * (index + 1)) for index in range(50)]
    assert counters.permutation(7, 50).tolist() == sorted(range(50), key=hashes.__getitem__)


def test_halves_are_the_unsigned_upper_and_lower_32_bits() -> None:
    value = torch.tensor([-1, 2**32 + 5, -(2**63)])
    assert counters.high_half(value).tolist() == [2**32 - 1, 1, 2**31]
    assert counters.low_half(value).tolist() == [2**32 - 1, 5, 0]


def test_keys_depend_on_every_part_and_their_order() -> None:
    keys = {counters.key(a, b, c) for a in range(5) for b in range(5) for c in range(5)}
    assert len(keys) == 125


def test_a_permutation_holds_every_number_once() -> None:
    order = counters.permutation(3, 10_000)
    assert order.dtype == np.int64
    assert np.array_equal(np.sort(order), np.arange(10_000))
    assert counters.permutation(3, 0).tolist() == []
