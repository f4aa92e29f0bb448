//! The parts of the standard library that tools/sbf changes, or that need what it changes: the allocator, hash maps with
//! their keys, thread locals, locks, formatting.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Mutex;

use crate::record::operations;

fn text_sum(text: &str) -> u128 {
    text.bytes().fold(text.len() as u128, |sum, byte| sum.wrapping_mul(263).wrapping_add(u128::from(byte)))
}

fn words(a: u128, b: u128) -> impl Iterator<Item = u16> {
    (0..16).map(move |i| ((if i < 8 { a } else { b }) >> (i % 8 * 16)) as u16)
}

operations! { library: u128,
    vector_growth = |a, b| -> u128 {
        let mut vector = Vec::new();
        for word in words(a, b) {
            vector.push(u128::from(word) << 64 | u128::from(vector.len() as u64));
        }
        vector.insert(3, a);
        vector.swap_remove(5);
        vector.retain(|x| x % 7 != 0);
        vector.iter().fold(0, |sum: u128, x| sum.rotate_left(13) ^ x)
    }
    boxed_and_counted = |a, b| -> u128 {
        let first = Rc::new(Box::new([a, b, a ^ b]));
        let second = Rc::clone(&first);
        second[2] ^ first[0].wrapping_mul(Rc::strong_count(&first) as u128)
    }
    hash_map = |a, b| -> u128 {
        let mut counts: HashMap<u16, u64> = HashMap::new();
        for word in words(a, b) {
            *counts.entry(word).or_default() += u64::from(word) + 1;
        }
        counts.remove(&(a as u16));
        words(a, b).fold(counts.len() as u128, |sum, word| {
            sum.wrapping_mul(31).wrapping_add(counts.get(&word).copied().unwrap_or(5).into())
        })
    }
    hash_set = |a, b| -> bool {
        let set: HashSet<u16> = words(a, b).collect();
        set.contains(&(b as u16).wrapping_add(1))
    }
    tree_map = |a, b| -> u128 {
        let map: BTreeMap<u16, usize> = words(a, b).zip(0..).collect();
        map.iter().fold(0, |sum: u128, (key, value)| {
            sum.wrapping_mul(65_599).wrapping_add(u128::from(*key)).wrapping_add(*value as u128)
        })
    }
    formatted = |a, b| -> u128 {
        let mut text = format!("{a} {:?} {:#x} {:>40}", b as i128, b, a as i64);
        write!(text, "{:08b}|{:?}|{:<6}|", a as u8, Some(b as u16), "ab").unwrap();
        text_sum(&text)
    }
    parsed = |a, b| -> Option<u128> {
        let text = a.to_string();
        let cut = &text[..text.len().min(1 + (b % 39) as usize)];
        let number: u128 = cut.parse().ok()?;
        Some(number ^ u128::from(format!("-{}", b as u32).parse::<i64>().ok()?.unsigned_abs()))
    }
    strings = |a, b| -> u128 {
        let text = String::from_utf8_lossy(&a.to_le_bytes()).to_lowercase();
        let joined: Vec<_> = text.split(|c: char| c.is_ascii_digit()).map(str::trim).collect();
        text_sum(&joined.join("-é-"))
    }
    thread_local = |a, b| -> u64 {
        // Constant: nothing writable lives in a program, so only reading is possible.
        thread_local!(static STEP: Cell<u64> = const { Cell::new(7) });
        STEP.with(Cell::get).wrapping_mul(a as u64)
    }
    lock = |a, b| -> u128 {
        let sum = Mutex::new(a);
        *sum.lock().unwrap() ^= b;
        sum.into_inner().unwrap()
    }
}
