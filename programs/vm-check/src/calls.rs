//! The calling convention: many arguments, 128-bit ones, by value and by reference; results wider than a register;
//! long chains of calls; calls through tables; constant data; 128-bit values in memory.

use core::hint::black_box;

use crate::record::operations;

/// Order matters: two arguments that change places give another result.
#[inline(never)]
#[allow(clippy::too_many_arguments)]
fn eight_words(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64) -> u64 {
    [a, b, c, d, e, f, g, h]
        .into_iter()
        .fold(0, |sum: u64, word| sum.rotate_left(7).wrapping_mul(31).wrapping_add(word))
}

#[inline(never)]
#[allow(clippy::too_many_arguments)]
fn mixed(a: u128, b: u64, c: &u128, d: u8, e: i128, f: &[u64; 4], g: bool, h: i16, i: u128, j: &mut u64) -> u128 {
    *j = j.wrapping_add(b);
    let words = f.iter().fold(0u128, |sum, word| sum.wrapping_mul(1_000_003).wrapping_add(u128::from(*word)));
    let signed = e.wrapping_mul(i128::from(h)) as u128;
    a.wrapping_mul(3) ^ u128::from(b).wrapping_mul(*c) ^ signed.rotate_left(u32::from(d)) ^ words ^ i ^ u128::from(g)
}

#[inline(never)]
fn six_wide(a: u128, b: u128, c: u128, d: i128, e: u128, f: i128) -> i128 {
    (a.wrapping_sub(b) ^ c.wrapping_mul(e)) as i128 ^ d.wrapping_sub(f)
}

#[derive(Clone, Copy)]
struct Wide {
    amount: u128,
    index: u64,
    change: i128,
    mark: bool,
}

#[inline(never)]
fn wide(a: u128, b: u128) -> Wide {
    Wide { amount: a ^ b, index: a as u64, change: (a as i128).wrapping_neg(), mark: a > b }
}

#[inline(never)]
fn wide_by_value(first: Wide, second: Wide, count: u64, third: Wide) -> Wide {
    Wide {
        amount: first.amount.wrapping_add(second.amount).wrapping_sub(third.amount),
        index: first.index.wrapping_mul(count) ^ third.index,
        change: second.change.wrapping_add(first.change ^ third.change),
        mark: first.mark ^ second.mark ^ third.mark,
    }
}

fn fold(wide: Wide) -> u128 {
    wide.amount ^ u128::from(wide.index).rotate_left(40) ^ wide.change as u128 ^ u128::from(wide.mark)
}

#[inline(never)]
fn pair(a: u128, b: u128) -> (u128, i128) {
    (a.wrapping_mul(b), (a as i128).wrapping_sub(b as i128))
}

#[inline(never)]
fn optional_pair(a: u128, b: u128) -> Option<(u128, u128)> {
    Some((a.checked_add(b)?, a.checked_sub(b)?))
}

#[inline(never)]
fn fallible(a: u128, b: u128) -> Result<i128, u64> {
    let a = i128::try_from(a).map_err(|_| 7u64)?;
    a.checked_mul(b as i128).ok_or(b as u64)
}

#[inline(never)]
fn array(a: u128, b: u128) -> [u128; 5] {
    [a, b, a & b, a | b, a ^ b]
}

/// A chain of frames, each with its own live locals.
#[inline(never)]
fn descend(depth: u64, a: u128, b: u128) -> u128 {
    let local = black_box([a as u64, b as u64, depth, depth.wrapping_mul(a as u64)]);
    let below = if depth == 0 { a } else { descend(depth - 1, b, a.wrapping_add(u128::from(local[3]))) };
    below.rotate_left(3) ^ u128::from(local[0]) ^ u128::from(local[1] & local[2])
}

#[inline(never)]
fn even(count: u64, a: u128) -> u128 {
    if count == 0 { a } else { odd(count - 1, a.wrapping_mul(3)) }
}

#[inline(never)]
fn odd(count: u64, a: u128) -> u128 {
    if count == 0 { !a } else { even(count - 1, a.wrapping_add(1)) }
}

/// The 256-bit product of two 128-bit numbers: high and low half.
#[inline(never)]
fn full_product(a: u128, b: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (low, cross) = ((a & LOW) * (b & LOW), (a & LOW) * (b >> 64));
    let middle = (a >> 64) * (b & LOW) + (low >> 64);
    let carry = (cross & LOW) + (middle & LOW);
    ((a >> 64) * (b >> 64) + (cross >> 64) + (middle >> 64) + (carry >> 64), carry << 64 | low & LOW)
}

operations! { calls: u128,
    many_words = |a, b| -> u64 {
        let (c, d) = ((a >> 64) as u64, (b >> 64) as u64);
        eight_words(a as u64, b as u64, c, d, c ^ d, !c, a as u64 & d, 9)
    }
    many_kinds = |a, b| -> u128 {
        let mut count = b as u64;
        let words = [a as u64, b as u64, (a >> 64) as u64, (b >> 64) as u64];
        let result = mixed(a, b as u64, &b, a as u8, b as i128, &words, a > b, b as i16, a ^ b, &mut count);
        result ^ u128::from(count) << 17
    }
    many_wide = |a, b| -> i128 { six_wide(a, b, !a, b as i128, a ^ b, a as i128) }
    wide_structs = |a, b| -> u128 { fold(wide_by_value(wide(a, b), wide(b, a), a as u64, wide(!a, b))) }
    returned_pair = |a, b| -> u128 { let (x, y) = pair(a, b); x ^ (y as u128).rotate_left(1) }
    returned_option = |a, b| -> Option<u128> { optional_pair(a, b).map(|(x, y)| x.rotate_left(9) ^ y) }
    returned_result = |a, b| -> (i128, bool) {
        match fallible(a, b) {
            Ok(product) => (product, false),
            Err(code) => (i128::from(code), true),
        }
    }
    returned_array = |a, b| -> u128 { array(a, b).into_iter().fold(0, |sum: u128, x| sum.rotate_left(5) ^ x) }
    deep = |a, b| -> u128 { descend(40, a, b) }
    mutual = |a, b| -> u128 { even(a as u64 % 50, b) }
    double_width = |a, b| -> u128 { let (high, low) = full_product(a, b); high ^ low.rotate_left(1) }
    many_live = |a, b| -> u128 {
        // More 128-bit values alive at once than there are registers.
        let mut values = [0u128; 12];
        let (mut x, mut y) = (a, b);
        for value in &mut values {
            (x, y) = (x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(y), x ^ y >> 3);
            *value = x;
        }
        let [p, q, r, s, t, u, v, w, k, l, m, n] = values;
        (p ^ q).wrapping_mul(r ^ s) ^ (t.wrapping_sub(u) | v.wrapping_add(w)) ^ (k & l).wrapping_mul(m | n)
            ^ (p & n) ^ q.wrapping_sub(m) ^ (r | l) ^ s.wrapping_add(k) ^ (t & w) ^ (u ^ v)
    }
    closures = |a, b| -> u128 {
        let add = |x: u128| x.wrapping_add(b);
        let scale = |x: u128| x.wrapping_mul(a | 1);
        let chain: [&dyn Fn(u128) -> u128; 4] = [&add, &scale, &add, &|x| !x];
        black_box(chain).iter().fold(a, |x, step| step(x))
    }
}

trait Step {
    fn step(&self, a: u128, b: u128) -> u128;
    fn name(&self) -> &'static str;
}

struct Add(u64);
struct Shift(u32);
struct Swap;

impl Step for Add {
    fn step(&self, a: u128, b: u128) -> u128 {
        a.wrapping_add(b).wrapping_add(u128::from(self.0))
    }
    fn name(&self) -> &'static str {
        "add"
    }
}

impl Step for Shift {
    fn step(&self, a: u128, b: u128) -> u128 {
        a.rotate_left(self.0) ^ b
    }
    fn name(&self) -> &'static str {
        "rotate"
    }
}

impl Step for Swap {
    fn step(&self, a: u128, b: u128) -> u128 {
        b.swap_bytes() ^ a
    }
    fn name(&self) -> &'static str {
        "swap, and more than eight bytes"
    }
}

static STEPS: [&(dyn Step + Sync); 4] = [&Add(17), &Shift(5), &Swap, &Shift(99)];
static FUNCTIONS: [fn(u128, u128) -> u128; 5] =
    [u128::wrapping_add, u128::wrapping_mul, |a, b| a ^ b, |a, b| a | b >> 1, u128::wrapping_sub];
static BYTES: [u8; 37] = {
    let mut table = [0; 37];
    let mut i = 0;
    while i < 37 {
        table[i] = (i * i % 251) as u8;
        i += 1;
    }
    table
};
static SCALES: [u64; 20] = {
    let mut table = [1; 20];
    let mut i = 1;
    while i < 20 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};
static WIDE_SCALES: [u128; 39] = {
    let mut table = [1; 39];
    let mut i = 1;
    while i < 39 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};
static NAMES_AND_FACTORS: [(&str, i128, u16); 6] = [
    ("", -1, 1),
    ("a", i128::MIN, 2),
    ("margin", 1 << 64, 3),
    ("cross", -(1 << 100), 4),
    ("a longer name, over sixteen bytes", i128::MAX, 5),
    ("näive", 6, 65_535),
];

fn length_and_sum(text: &str) -> u64 {
    text.bytes().fold(text.len() as u64, |sum, byte| sum.wrapping_mul(257).wrapping_add(u64::from(byte)))
}

#[repr(C, packed)]
struct Packed {
    tag: u8,
    amount: u128,
    mark: u16,
    change: i128,
}

operations! { data: u128,
    many_arms = |a, b| -> u128 {
        match a % 41 {
            0 => b,
            1 => b.wrapping_add(1),
            2 => b.wrapping_mul(3),
            3 => b >> 1,
            4 => b << 5,
            5 => !b,
            6 => b.rotate_left(6),
            7 => b.swap_bytes(),
            8 => b.reverse_bits(),
            9 => b / 9,
            10 => b % 10,
            11 => b ^ 0x1111,
            12 => b.count_ones().into(),
            13 => b.leading_zeros().into(),
            14 => b.wrapping_sub(14),
            15 => b & 0xF0F0,
            16 => b | 0xF0F0,
            17 => a,
            18 => a ^ b,
            19 => a & b,
            20 => a | b,
            21 => a.wrapping_mul(b),
            22 => a.wrapping_add(b),
            23 => a.wrapping_sub(b),
            30 => 30,
            31 => b.wrapping_pow(3),
            40 => u128::MAX,
            rest => rest << 64,
        }
    }
    dense_constants = |a, b| -> u64 {
        match a as u8 % 16 {
            0 => 0x1234, 1 => 17, 2 => u64::MAX, 3 => 1 << 63, 4 => 99, 5 => 0xDEAD_BEEF, 6 => 0, 7 => 7_777_777_777,
            8 => 1, 9 => 2, 10 => 1 << 32, 11 => 0xFFFF_FFFF, 12 => 3, 13 => 5, 14 => 8, _ => 13,
        }
    }
    texts = |a, b| -> u64 {
        let text = match b as u8 % 7 {
            0 => "deposit", 1 => "withdraw", 2 => "", 3 => "liquidate the whole account", 4 => "é", 5 => "b", _ => "trade",
        };
        let code = match text { "withdraw" => 1, "trade" => 2, "liquidate the whole account" => 3, _ => 4 };
        length_and_sum(text).wrapping_add(code)
    }
    byte_table = |a, b| -> u64 { u64::from(BYTES[(a % 37) as usize]) << 8 | u64::from(BYTES[(b % 37) as usize]) }
    scale_table = |a, b| -> u128 { u128::from(SCALES[(a % 20) as usize]).wrapping_mul(WIDE_SCALES[(b % 39) as usize]) }
    struct_table = |a, b| -> i128 {
        let (text, factor, step) = NAMES_AND_FACTORS[(a % 6) as usize];
        factor.wrapping_mul(i128::from(step)).wrapping_add(i128::from(length_and_sum(text)))
    }
    function_table = |a, b| -> u128 { FUNCTIONS[(a % 5) as usize](a, FUNCTIONS[(b % 5) as usize](b, a)) }
    trait_objects = |a, b| -> u128 {
        let step = STEPS[(b % 4) as usize];
        STEPS[(a % 4) as usize].step(a, step.step(b, a)) ^ u128::from(length_and_sum(step.name()))
    }
    stored_little_endian = |a, b| -> u128 {
        let mut bytes = [0u8; 48];
        let place = (b % 16) as usize;
        black_box(&mut bytes)[place..place + 16].copy_from_slice(&a.to_le_bytes());
        let bytes = black_box(bytes);
        let next = u64::from_le_bytes(bytes[place + 4..place + 12].try_into().unwrap());
        u128::from_le_bytes(bytes[place..place + 16].try_into().unwrap()) ^ u128::from(next) << 3
    }
    stored_big_endian = |a, b| -> i128 {
        let mut bytes = [0u8; 40];
        let place = (b % 16) as usize;
        black_box(&mut bytes)[place..place + 16].copy_from_slice(&(a as i128).to_be_bytes());
        i128::from_be_bytes(black_box(bytes)[place..place + 16].try_into().unwrap())
    }
    stored_as_halves = |a, b| -> u128 {
        let halves = black_box([a as u64, (a >> 64) as u64]);
        u128::from(halves[1]) << 64 | u128::from(halves[0])
    }
    stored_packed = |a, b| -> u128 {
        let packed = black_box(Packed { tag: a as u8, amount: b, mark: b as u16, change: a as i128 });
        let (amount, change, mark) = (packed.amount, packed.change, packed.mark);
        amount ^ (change as u128).rotate_left(1) ^ u128::from(packed.tag) << 90 ^ u128::from(mark)
    }
    stored_array = |a, b| -> u128 {
        let mut slots = black_box([0u128; 9]);
        for (i, slot) in slots.iter_mut().enumerate() {
            *slot = a.wrapping_mul(i as u128).wrapping_sub(b);
        }
        slots[(b % 9) as usize] = a;
        black_box(slots).iter().fold(0, |sum, slot| sum.rotate_left(11) ^ slot)
    }
    sorted = |a, b| -> u128 {
        // Insertion sort: the standard library's needs a larger stack frame than there is.
        let mut words: [u16; 16] = core::array::from_fn(|i| ((if i < 8 { a } else { b }) >> (i % 8 * 16)) as u16);
        for i in 1..words.len() {
            let mut j = i;
            while j > 0 && words[j - 1] > words[j] {
                words.swap(j - 1, j);
                j -= 1;
            }
        }
        words.iter().fold(0, |sum: u128, word| sum.wrapping_mul(65_599).wrapping_add(u128::from(*word)))
    }
    iterators = |a, b| -> u64 {
        let (a, b) = (a.to_le_bytes(), b.to_be_bytes());
        let zipped: u64 = a.iter().rev().zip(&b).map(|(x, y)| u64::from(*x) * u64::from(*y)).sum();
        let largest = a.chunks_exact(4).zip(b.windows(5)).map(|(x, y)| x[0] ^ y[4]).max().unwrap();
        zipped << 8 | u64::from(largest)
    }
}
