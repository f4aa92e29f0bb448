//! Every instruction, in one binary.

mod deposit;
