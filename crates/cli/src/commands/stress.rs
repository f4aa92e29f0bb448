//! `plimsoll stress`: what an account would be worth at other prices and volatilities, as a table and as a picture.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use clap::Args;
use comfy_table::{Cell, CellAlignment, Color};
use plimsoll_client::snapshot::{Stress, StressAxes, StressCell};
use plimsoll_migrations::fields;
use plotters::{prelude::*, style::Color as _};
use serde_json::{Value, json};

use crate::{context::Context, failure::Refusal, format, select};

/// Size of the picture, pixels.
const SIZE: (u32, u32) = (960, 420);

/// Options of `plimsoll stress`.
#[derive(Args)]
pub struct Options {
    /// The margin account: its address, or its number among your own.
    #[arg(default_value = "0")]
    account: String,
    /// Markets whose prices move; all that the account depends on where none is given.
    #[arg(long, value_delimiter = ',', value_name = "SYMBOL")]
    market: Vec<String>,
    /// Largest move of prices.
    #[arg(long, value_name = "SHARE", default_value = "40%")]
    range: String,
    /// Steps from no move to the largest.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=50))]
    steps: u8,
    /// Draw the grid as a heat map into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Runs the command.
pub fn run(options: &Options, context: &Context) -> Result<()> {
    let snapshot = context.snapshot()?;
    let account = select::account(context, &snapshot.exchange.address, &options.account)?;
    let range = i64::from(select::share(&options.range)?);
    if range >= 1_000_000 {
        return Err(Refusal::Usage("--range must be below 100%: no price falls further".into()).into());
    }
    let steps = i64::from(options.steps);
    let markets = options.market.iter().map(|name| Ok(select::market(&snapshot, name)?.0)).collect::<Result<_>>()?;
    let axes = StressAxes {
        moves_ppm: (-steps..=steps).map(|step| range * step / steps).collect(),
        markets,
        ..StressAxes::default()
    };
    let stress = snapshot.stress(&account.data, &axes)?;
    if let Some(file) = &options.svg {
        draw(&stress, file)?;
    }
    let mut text = table(&stress);
    if let Some(file) = &options.svg {
        text.push_str(&format!("\ndrawn in {}", file.display()));
    }
    context.answer(&report(&stress, &account.address.to_string(), options.svg.as_deref()), text)
}

fn share(ppm: i64) -> String {
    let sign = if ppm < 0 { "-" } else { "+" };
    if ppm == 0 { "0 %".into() } else { format!("{sign}{} %", fields::decimal(u128::from(ppm.unsigned_abs()), 4)) }
}

fn report(stress: &Stress, account: &str, svg: Option<&Path>) -> Value {
    let cell = |cell: &Option<StressCell>| {
        cell.map(|cell| {
            json!({
                "equity": cell.equity.to_string(),
                "pnl": cell.pnl.to_string(),
                "health_init": cell.health_init.to_string(),
                "health_maint": cell.health_maint.to_string(),
            })
        })
    };
    json!({
        "account": account,
        "equity": stress.equity.to_string(),
        "moves_ppm": stress.axes.moves_ppm,
        "volatility_shocks_ppm": stress.axes.volatility_shocks_ppm,
        "markets": stress.axes.markets.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "cells": stress.cells.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>()).collect::<Vec<_>>(),
        "svg": svg.map(|file| file.display().to_string()),
    })
}

/// A row for each move of prices, a column for each of volatilities; red where the account could be liquidated.
fn table(stress: &Stress) -> String {
    let shocks = &stress.axes.volatility_shocks_ppm;
    let header: Vec<String> =
        std::iter::once("prices".into()).chain(shocks.iter().map(|shock| format!("vol {}", share(*shock)))).collect();
    let mut table = format::table(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for (column, move_ppm) in stress.axes.moves_ppm.iter().enumerate() {
        let cells = stress.cells.iter().map(|row| match row.get(column).copied().flatten() {
            Some(cell) => {
                let mark = if cell.health_maint < 0 { "! " } else { "" };
                let text = Cell::new(format!("{mark}{}", format::usd(cell.pnl))).set_alignment(CellAlignment::Right);
                if cell.health_maint < 0 { text.fg(Color::Red) } else { text }
            }
            None => Cell::new("?"),
        });
        let name = Cell::new(share(*move_ppm)).set_alignment(CellAlignment::Right);
        table.add_row(std::iter::once(name).chain(cells).collect::<Vec<_>>());
    }
    format!(
        "equity now {} USD; what it gains or loses, ! where it could be liquidated\n{table}",
        format::usd(stress.equity)
    )
}

/// Draws the grid: prices to the right, volatilities up, gains green and losses red, a frame where the account could be
/// liquidated.
fn draw(stress: &Stress, file: &Path) -> Result<()> {
    let failed = |error: String| anyhow!(Refusal::File(format!("{}: {error}", file.display())));
    let (columns, rows) = (stress.axes.moves_ppm.len(), stress.cells.len());
    let most = stress.cells.iter().flatten().flatten().map(|cell| cell.pnl.unsigned_abs()).max().unwrap_or(1).max(1);
    let mut picture = String::new();
    {
        let area = SVGBackend::with_string(&mut picture, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(|error| failed(error.to_string()))?;
        let title = format!("Equity {} USD: gain or loss by price and volatility", format::usd(stress.equity));
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(40)
            .y_label_area_size(70)
            .build_cartesian_2d((0..columns).into_segmented(), (0..rows).into_segmented())
            .map_err(|error| failed(error.to_string()))?;
        let name = |all: &[i64], at: &SegmentValue<usize>| match at {
            SegmentValue::CenterOf(index) | SegmentValue::Exact(index) => {
                all.get(*index).map_or(String::new(), |ppm| share(*ppm))
            }
            SegmentValue::Last => String::new(),
        };
        chart
            .configure_mesh()
            .disable_mesh()
            .x_labels(columns)
            .y_labels(rows)
            .x_desc("move of prices")
            .y_desc("move of volatilities")
            .x_label_formatter(&|at| name(&stress.axes.moves_ppm, at))
            .y_label_formatter(&|at| name(&stress.axes.volatility_shocks_ppm, at))
            .draw()
            .map_err(|error| failed(error.to_string()))?;
        let cells = stress.cells.iter().enumerate().flat_map(|(row, cells)| {
            cells.iter().enumerate().filter_map(move |(column, cell)| Some((column, row, (*cell)?)))
        });
        for (column, row, cell) in cells {
            let corners = [
                (SegmentValue::Exact(column), SegmentValue::Exact(row)),
                (SegmentValue::Exact(column + 1), SegmentValue::Exact(row + 1)),
            ];
            let fill = Rectangle::new(corners.clone(), colour(cell.pnl, most).filled());
            chart.draw_series([fill]).map_err(|error| failed(error.to_string()))?;
            if cell.health_maint < 0 {
                let frame = Rectangle::new(corners, BLACK.stroke_width(2));
                chart.draw_series([frame]).map_err(|error| failed(error.to_string()))?;
            }
        }
        area.present().map_err(|error| failed(error.to_string()))?;
    }
    std::fs::write(file, picture).map_err(|error| failed(error.to_string()))
}

/// White without a gain or loss, towards green or red with it.
fn colour(pnl: i64, most: u64) -> RGBColor {
    let share = u128::from(pnl.unsigned_abs()) * 200 / u128::from(most);
    let faded = 255u8.saturating_sub(u8::try_from(share).unwrap_or(u8::MAX));
    if pnl < 0 { RGBColor(230, faded, faded) } else { RGBColor(faded, 230u8.max(faded), faded) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Stress {
        let cell =
            |pnl: i64| Some(StressCell { equity: 1_000_000 + pnl, pnl, health_init: pnl, health_maint: pnl + 5 });
        let axes =
            StressAxes { moves_ppm: vec![-100_000, 0, 100_000], volatility_shocks_ppm: vec![0], markets: Vec::new() };
        Stress { axes, equity: 1_000_000, cells: vec![vec![cell(-20_000), cell(0), None]] }
    }

    #[test]
    fn the_table_marks_where_an_account_could_be_liquidated() {
        let text = table(&example());
        assert!(text.contains("! -0.02") && text.contains("-10 %") && text.contains("+10 %"), "{text}");
        assert!(text.contains("equity now 1.00 USD"), "{text}");
    }

    #[test]
    fn the_picture_has_a_field_for_each_cell() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("grid.svg");
        draw(&example(), &file).unwrap();
        let picture = std::fs::read_to_string(&file).unwrap();
        assert!(picture.starts_with("<svg ") && picture.contains("Equity 1.00 USD"), "{picture}");
        // The background, two cells with a number, and the frame of the one below its line.
        assert_eq!(picture.matches("<rect ").count(), 4, "{picture}");
        let error = draw(&example(), Path::new("/nowhere/grid.svg")).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/grid.svg: "), "{error}");
    }

    #[test]
    fn colours_follow_the_sign() {
        assert_eq!(colour(0, 10), RGBColor(255, 255, 255));
        assert_eq!(colour(-10, 10), RGBColor(230, 55, 55));
        assert_eq!(colour(10, 10), RGBColor(55, 230, 55));
    }
}
