//! The committed figures: docs/compute.json for machines, docs/compute.md for people.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use anyhow::{Context, Result};

use crate::{kernels, rows::Row};

const JSON: &str = "docs/compute.json";
const MARKDOWN: &str = "docs/compute.md";

type Figures = BTreeMap<String, u64>;

/// All that is measured.
pub struct Table {
    pub rows: Vec<Row>,
    pub kernels: Vec<kernels::Row>,
}

fn figures(table: &Table) -> Figures {
    let rows = table.rows.iter().map(|row| (row.key(), row.units));
    let kernels = table.kernels.iter().flat_map(|row| {
        let key = row.key();
        [(format!("{key}/typical"), row.typical), (format!("{key}/worst"), row.worst)]
    });
    rows.chain(kernels).collect()
}

/// Writes both files.
pub fn write(root: &Path, table: &Table) -> Result<()> {
    let json = serde_json::to_string_pretty(&figures(table))? + "\n";
    fs::write(root.join(JSON), json).with_context(|| format!("{JSON} cannot be written"))?;
    fs::write(root.join(MARKDOWN), markdown(table)?).with_context(|| format!("{MARKDOWN} cannot be written"))?;
    println!("{} figures written to {MARKDOWN} and {JSON}", figures(table).len());
    Ok(())
}

/// Fails where a figure, or the page made of them, differs from what is committed.
#[cfg(test)]
pub fn check(root: &Path, table: &Table) -> Result<()> {
    let text = fs::read_to_string(root.join(JSON)).with_context(|| format!("{JSON} cannot be read: run `make cu`"))?;
    let committed: Figures =
        serde_json::from_str(&text).with_context(|| format!("{JSON} is not a table of figures"))?;
    let measured = figures(table);
    let keys = committed.keys().chain(measured.keys()).collect::<std::collections::BTreeSet<_>>();
    let mut differences = 0usize;
    for key in keys {
        let (old, new) = (committed.get(key), measured.get(key));
        if old != new {
            differences += 1;
            let show = |figure: Option<&u64>| figure.map_or("none".to_string(), u64::to_string);
            eprintln!("{key}: committed {}, measured {}", show(old), show(new));
        }
    }
    if differences > 0 {
        anyhow::bail!(
            "{differences} figures differ from {JSON}: if that is meant, run `make cu` and commit the new ones"
        );
    }
    let page = fs::read_to_string(root.join(MARKDOWN)).with_context(|| format!("{MARKDOWN} cannot be read"))?;
    if page != markdown(table)? {
        anyhow::bail!("{MARKDOWN} is not the page that `make cu` writes: run it and commit");
    }
    Ok(())
}

/// Compute units of a row.
fn find(rows: &[Row], instruction: &str, variant: &str, collaterals: usize, perps: usize) -> Option<u64> {
    rows.iter()
        .find(|row| {
            row.instruction == instruction
                && row.variant == variant
                && row.collaterals == collaterals
                && row.perps == perps
        })
        .map(|row| row.units)
}

/// Difference of two rows per unit that they differ by, rounded up.
fn slope(from: Option<u64>, to: Option<u64>, count: u64) -> String {
    match (from, to) {
        (Some(from), Some(to)) => to.saturating_sub(from).div_ceil(count).to_string(),
        _ => "–".to_string(),
    }
}

/// The budgets of the design: what, the target, the figure.
fn budgets(rows: &[Row]) -> Vec<(&'static str, u64, Option<u64>)> {
    let per = |instruction, variant, from: (usize, usize), to: (usize, usize)| {
        let from = find(rows, instruction, variant, from.0, from.1)?;
        Some(find(rows, instruction, variant, to.0, to.1)?.saturating_sub(from).div_ceil(4))
    };
    let worst = rows.iter().map(|row| row.units).max();
    vec![
        (
            "margin, per collateral with bank, market and price account",
            400,
            per("flag_liquidation", "price accounts", (4, 0), (8, 0)),
        ),
        ("margin, per collateral on a stored observation", 150, per("flag_liquidation", "", (4, 0), (8, 0))),
        ("margin, per perp", 300, per("flag_liquidation", "", (1, 4), (1, 8))),
        ("`deposit`, 8 collaterals", 10_000, find(rows, "deposit", "", 8, 0)),
        ("`withdraw` with full margin, 8 collaterals", 15_000, find(rows, "withdraw", "", 8, 0)),
        ("`open_position`, 8 collaterals, 8 perps", 20_000, find(rows, "open_position", "", 8, 8)),
        ("`liquidate`, both accounts with 8 collaterals, 8 perps", 60_000, find(rows, "liquidate", "", 8, 8)),
        (
            "`open_position`, 8 collaterals, 8 perps, 16 options",
            30_000,
            find(rows, "open_position", "16 options of 2 boards", 8, 8),
        ),
        (
            "`liquidate`, both accounts with 8 collaterals, 8 perps, 16 options",
            60_000,
            find(rows, "liquidate", "16 options of 2 boards", 8, 8),
        ),
        ("margin, per option over the full grid", 250, per_option(rows)),
        ("largest portfolio, worst instruction", 200_000, worst),
    ]
}

/// What an option more costs in a margin, from 8 to 16 of one board, each of a strike of its own.
fn per_option(rows: &[Row]) -> Option<u64> {
    let from = find(rows, "flag_liquidation", "8 strikes of 1 board", 1, 1)?;
    Some(find(rows, "flag_liquidation", "16 strikes of 1 board", 1, 1)?.saturating_sub(from).div_ceil(8))
}

fn markdown(table: &Table) -> Result<String> {
    let rows = &table.rows;
    let mut page = String::from(include_str!("preface.md"));
    writeln!(page, "\n## Budgets of the design\n\n| work | target | measured | |\n|---|---:|---:|---|")?;
    for (work, target, measured) in budgets(rows) {
        let measured = measured.context("a row that a budget is about was not measured")?;
        let verdict = if measured <= target { "met" } else { "missed" };
        writeln!(page, "| {work} | {target} | {measured} | {verdict} |")?;
    }
    page.push_str(include_str!("profile.md"));
    writeln!(page, "\n## Margin, per position\n")?;
    writeln!(page, "Slope from 4 to 8 in a portfolio of that kind alone.\n")?;
    writeln!(page, "| instruction | per collateral | per perp |\n|---|---:|---:|")?;
    for (instruction, variant) in [
        ("flag_liquidation", ""),
        ("flag_liquidation", "price accounts"),
        ("withdraw", ""),
        ("open_position", ""),
        ("liquidate", ""),
    ] {
        let collateral = slope(find(rows, instruction, variant, 4, 0), find(rows, instruction, variant, 8, 0), 4);
        let perp = slope(find(rows, instruction, variant, 1, 4), find(rows, instruction, variant, 1, 8), 4);
        writeln!(page, "| {} | {collateral} | {perp} |", name(instruction, variant))?;
    }
    writeln!(page, "\n## Instructions that read a portfolio\n")?;
    writeln!(
        page,
        "c: balances, the quote among them; p: perpetual positions, in markets of their own up to sixteen.\n"
    )?;
    let shapes: Vec<(usize, usize)> = {
        let mut shapes: Vec<_> = rows.iter().map(|row| (row.collaterals, row.perps)).filter(|s| *s != (0, 0)).collect();
        shapes.sort_unstable_by_key(|(collaterals, perps)| (*perps, *collaterals));
        shapes.dedup();
        shapes
    };
    let heads: Vec<String> = shapes.iter().map(|(c, p)| format!("c{c} p{p}")).collect();
    writeln!(page, "| instruction | {} |\n|---|{}", heads.join(" | "), "---:|".repeat(heads.len()))?;
    let mut seen = Vec::new();
    for row in rows.iter().filter(|row| row.collaterals != 0) {
        let kind = (row.instruction, row.variant);
        if seen.contains(&kind) {
            continue;
        }
        seen.push(kind);
        let cells = shapes
            .iter()
            .map(|(c, p)| find(rows, kind.0, kind.1, *c, *p).map_or("–".to_string(), |units| units.to_string()));
        writeln!(page, "| {} | {} |", name(kind.0, kind.1), cells.collect::<Vec<_>>().join(" | "))?;
    }
    writeln!(page, "\n## Other instructions\n\n| instruction | compute units |\n|---|---:|")?;
    for row in rows.iter().filter(|row| row.collaterals == 0) {
        writeln!(page, "| {} | {} |", name(row.instruction, row.variant), row.units)?;
    }
    page.push_str(include_str!("kernels.md"));
    writeln!(page, "\n| kernel | target | typical | worst | |\n|---|---:|---:|---:|---|")?;
    for row in &table.kernels {
        let target = row.target.map_or_else(String::new, |target| target.to_string());
        let verdict = row.target.map_or("", |target| if row.worst <= target { "met" } else { "missed" });
        let name = name(row.kernel, row.variant);
        writeln!(page, "| {name} | {target} | {} | {} | {verdict} |", row.typical, row.worst)?;
    }
    Ok(page)
}

fn name(instruction: &str, variant: &str) -> String {
    if variant.is_empty() { format!("`{instruction}`") } else { format!("`{instruction}`, {variant}") }
}
