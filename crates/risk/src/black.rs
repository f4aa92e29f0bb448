//! stub
/// Kind
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// c
    Call,
    /// p
    Put,
}
