//! A plan as people read it.

use std::fmt;

use plimsoll_client::words::number::moment;

use super::{Action, Change, Plan};

/// Keys of something new that are listed before the rest is counted.
const NEW_FIELDS_SHOWN: usize = 4;

/// A plan's text; see [`Plan::text`].
pub struct PlanText<'a> {
    plan: &'a Plan,
    full: bool,
}

impl Plan {
    /// The plan as people read it: what is new with `+`, what changes with `~` and its old and new values, what waits with
    /// `…`, what cannot be done with `!`. `full` lists every parameter of what is new.
    pub fn text(&self, full: bool) -> PlanText<'_> {
        PlanText { plan: self, full }
    }
}

impl fmt::Display for PlanText<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "exchange {}", self.plan.exchange)?;
        for change in &self.plan.changes {
            self.change(out, change)?;
        }
        let steps = self.plan.steps().count();
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let (changes, unchanged) = (self.plan.changes.len(), self.plan.unchanged);
        if changes == 0 {
            return write!(out, "Nothing to do: all {unchanged} subjects of the file are as it wants them.");
        }
        let (s, t) = (plural(changes), plural(steps));
        write!(out, "{changes} change{s} in {steps} transaction{t}; {unchanged} unchanged.")
    }
}

impl PlanText<'_> {
    fn change(&self, out: &mut fmt::Formatter<'_>, change: &Change) -> fmt::Result {
        let sign = match change.action {
            Action::Create => '+',
            Action::Change | Action::Execute => '~',
            Action::Propose { .. } | Action::Wait { .. } => '…',
            Action::Cancel => '-',
            Action::Blocked { .. } | Action::Stale { .. } => '!',
        };
        writeln!(out, "  {sign} {} {}", change.action.word(), change.subject)?;
        let is_new = change.action == Action::Create;
        let shown = if is_new && !self.full { NEW_FIELDS_SHOWN } else { usize::MAX };
        let listed = || change.fields.iter().take(shown);
        let width = listed().map(|field| field.key.chars().count()).max().unwrap_or(0);
        for field in listed() {
            match &field.old {
                Some(old) => writeln!(out, "      {:width$}  {old} → {}", field.key, field.new)?,
                None => writeln!(out, "      {:width$}  {}", field.key, field.new)?,
            }
        }
        let rest = change.fields.len().saturating_sub(shown);
        if rest > 0 {
            writeln!(out, "      and {rest} more")?;
        }
        match &change.action {
            Action::Propose { ready_at } => {
                writeln!(out, "      is announced now, and can be executed from {} on", moment(*ready_at))
            }
            Action::Wait { ready_at } => {
                writeln!(out, "      is announced, and can be executed from {} on", moment(*ready_at))
            }
            Action::Stale { ready_at } => writeln!(
                out,
                "      nothing in the file wants it; it may be executed from {} on: take it back with --cancel-proposals",
                moment(*ready_at)
            ),
            Action::Blocked { reason } => writeln!(out, "      {reason}"),
            _ => Ok(()),
        }
    }
}
