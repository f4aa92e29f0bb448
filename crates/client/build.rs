//! Turns the measured compute table into the bounds of `src/budget.rs`: for every instruction a base, and what each balance,
//! position, board and option of the portfolio adds, such that no figure of the table is above.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path};

/// One figure of the table.
struct Row {
    /// Whether it was measured with price accounts behind the markets.
    prices: u64,
    /// Balances, positions, boards, options.
    size: [u64; 4],
    cost: u64,
}

/// The instruction whose slopes stand for those that were not measured over sizes: all margins are the same computation.
const REFERENCE: &str = "flag_liquidation";
/// Markets that an account may use.
const MARKETS: u64 = 16;
/// From this size on slopes are taken: what the first of a kind adds besides is the base's.
const SLOPE_FROM: u64 = 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let manifest = env::var("CARGO_MANIFEST_DIR")?;
    let table = Path::new(&manifest).join("../../docs/compute.json");
    println!("cargo::rerun-if-changed={}", table.display());
    let figures: BTreeMap<String, serde_json::Value> = serde_json::from_str(&fs::read_to_string(&table)?)?;
    let mut kinds: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for (key, cost) in &figures {
        if let Some((name, row)) = row(key, cost.as_u64().ok_or("a figure is no number")?) {
            kinds.entry(name).or_default().push(row);
        }
    }
    let margin = kinds.get(REFERENCE).ok_or("the table has no margin")?;
    let reference = slopes(margin, &[0; 4]);
    let reference_boards = boards(margin, &reference, (0, 0));
    let mut code = String::from("const MEASURED: &[Measured] = &[\n");
    for (name, rows) in &kinds {
        // What reads no portfolio was measured without one.
        let reads = rows.iter().any(|row| row.size != [0; 4]);
        let mut slopes = if reads { slopes(rows, &reference) } else { [0; 4] };
        let (first_board, next_board) = if reads { boards(rows, &slopes, reference_boards) } else { (0, 0) };
        slopes[2] = next_board;
        let of = |row: &Row| row.size[2].min(1) * first_board + linear(&slopes, row);
        let base = rows.iter().map(|row| row.cost.saturating_sub(of(row) - row.size[2].min(1) * next_board)).max();
        let base = base.unwrap_or(0);
        writeln!(
            code,
            "    Measured {{ name: {name:?}, base: {base}, first_board: {first_board}, slopes: {slopes:?} }},"
        )?;
    }
    code.push_str("];\n");
    let price = price_account(margin, &reference);
    writeln!(code, "const PRICE_ACCOUNT: u64 = {price};")?;
    writeln!(code, "#[cfg(test)]\nconst FIGURES: &[(&str, [u64; 4], u64, u64)] = &[")?;
    for (name, rows) in &kinds {
        for Row { prices, size, cost } in rows {
            writeln!(code, "    ({name:?}, {size:?}, {prices}, {cost}),")?;
        }
    }
    code.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("measured.rs"), code)?;
    Ok(())
}

/// `name[variant]/c01/p04`: the kernels' figures have no sizes.
fn row(key: &str, cost: u64) -> Option<(String, Row)> {
    let (rest, positions) = key.rsplit_once("/p")?;
    let (name, balances) = rest.rsplit_once("/c")?;
    let (name, variant) = name.split_once('[').map_or((name, ""), |(name, variant)| (name, variant));
    let mut size: [u64; 4] = [balances.parse().ok()?, positions.parse().ok()?, 0, 0];
    // Positions stand in markets of their own, as far as there are any beyond those of the balances.
    size[1] = size[1].min((MARKETS + 1).saturating_sub(size[0].max(1)));
    let words: Vec<&str> = variant.trim_end_matches(']').split(' ').collect();
    if let [options, "options" | "strikes", "of", boards, "board" | "boards"] = words[..] {
        (size[2], size[3]) = (boards.parse().ok()?, options.parse().ok()?);
    }
    // A row with price accounts has one for each market: each position's, and that of each balance but the quote.
    let prices = if variant.starts_with("price accounts") { size[1].max(size[0].saturating_sub(1)) } else { 0 };
    Some((name.into(), Row { prices, size, cost }))
}

/// What each dimension adds: the steepest rise between two figures that differ in it alone, `reference` where there are
/// no two. Boards are not among them: they never stand without options, see [`boards`].
fn slopes(rows: &[Row], reference: &[u64; 4]) -> [u64; 4] {
    let mut slopes = [0; 4];
    for dimension in [0, 1, 3] {
        let steepest =
            rows.iter().flat_map(|one| rows.iter().map(move |other| (one, other))).filter_map(|(one, other)| {
                let differs = |at: usize| one.size[at] != other.size[at];
                let alone =
                    (0..4).all(|at| at == dimension || !differs(at)) && (one.prices == 0) == (other.prices == 0);
                let rise =
                    other.size[dimension].checked_sub(one.size[dimension].max(SLOPE_FROM)).filter(|rise| *rise > 0)?;
                (alone && one.size[dimension] >= SLOPE_FROM).then(|| other.cost.saturating_sub(one.cost).div_ceil(rise))
            });
        slopes[dimension] = steepest.max().unwrap_or(reference[dimension]);
    }
    // Balances that were not measured by themselves: what is beyond the figures with one.
    let base =
        rows.iter().filter(|row| row.size[0] <= 1).map(|row| row.cost.saturating_sub(linear(&slopes, row))).max();
    let more = rows.iter().filter(|row| row.size[0] > 1 && row.size[2] == 0 && row.prices == 0);
    let beyond = |row: &Row| row.cost.saturating_sub(base.unwrap_or(row.cost) + linear(&slopes, row));
    if let Some(more) = more.map(|row| beyond(row).div_ceil(row.size[0] - 1)).max() {
        slopes[0] += more;
    }
    slopes
}

/// What the first board adds besides its options, and what each further one does.
fn boards(rows: &[Row], slopes: &[u64; 4], reference: (u64, u64)) -> (u64, u64) {
    let plain = rows.iter().filter(|row| row.size[2] == 0 && row.prices == 0);
    let base = plain.map(|row| row.cost.saturating_sub(linear(slopes, row))).max().unwrap_or(0);
    let rest = |row: &Row| row.cost.saturating_sub(base + linear(slopes, row));
    let Some(first) = rows.iter().filter(|row| row.size[2] == 1).map(rest).max() else { return reference };
    // Without a figure of no board, the base has it already.
    let is_plain = rows.iter().any(|row| row.size[2] == 0);
    let more = rows.iter().filter(|row| row.size[2] > 1);
    let more = more.map(|row| rest(row).saturating_sub(first).div_ceil(row.size[2] - 1)).max();
    (if is_plain { first } else { 0 }, more.unwrap_or(reference.1).max(if is_plain { 0 } else { reference.1 }))
}

fn linear(slopes: &[u64; 4], row: &Row) -> u64 {
    slopes.iter().zip(&row.size).map(|(slope, count)| slope * count).sum()
}

/// What one price account adds.
fn price_account(rows: &[Row], slopes: &[u64; 4]) -> u64 {
    let base = rows.iter().filter(|row| row.prices == 0 && row.size[2] == 0);
    let base = base.map(|row| row.cost.saturating_sub(linear(slopes, row))).min().unwrap_or(0);
    let with = rows.iter().filter(|row| row.prices > 0);
    with.map(|row| row.cost.saturating_sub(base + linear(slopes, row)).div_ceil(row.prices)).max().unwrap_or(0)
}
