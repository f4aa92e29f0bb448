//! The shape of a real crash.

/// One step: prices in thousandths of where they started.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// SOL.
    pub sol: i64,
    /// BTC.
    pub btc: i64,
}

/// Hours between two steps.
pub const STEP_HOURS: u32 = 4;

/// How SOL and BTC fell against the dollar from 10 June 2022, 20:00 UTC, to 14 June, 04:00, when a large lender stopped
/// withdrawals: the close of every fourth hour over the first, rounded to a thousandth.
pub const CRASH: [Step; 21] = [
    Step { sol: 1000, btc: 1000 },
    Step { sol: 991, btc: 1001 },
    Step { sol: 1000, btc: 1006 },
    Step { sol: 969, btc: 993 },
    Step { sol: 921, btc: 975 },
    Step { sol: 899, btc: 975 },
    Step { sol: 895, btc: 973 },
    Step { sol: 900, btc: 976 },
    Step { sol: 839, btc: 939 },
    Step { sol: 874, btc: 944 },
    Step { sol: 861, btc: 939 },
    Step { sol: 888, btc: 956 },
    Step { sol: 845, btc: 937 },
    Step { sol: 782, btc: 901 },
    Step { sol: 752, btc: 869 },
    Step { sol: 694, btc: 828 },
    Step { sol: 701, btc: 811 },
    Step { sol: 747, btc: 813 },
    Step { sol: 756, btc: 796 },
    Step { sol: 726, btc: 745 },
    Step { sol: 750, btc: 753 },
];
