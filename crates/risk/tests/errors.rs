//! Errors are part of the interface: one cause, one number, never reused.
use plimsoll_risk::Error;
use std::collections::BTreeSet;

#[test]
fn numbers_are_stable() {
    // Append here; never change a line.
    let stable = [
        (Error::Overflow, 1),
        (Error::IndexOverflow, 2),
        (Error::PriceOwnerMismatch, 10),
        (Error::PriceLengthInvalid, 11),
        (Error::PriceDiscriminatorMismatch, 12),
        (Error::PriceNotFullyVerified, 13),
        (Error::PriceFeedMismatch, 14),
        (Error::PriceMagicMismatch, 15),
        (Error::PriceVersionUnsupported, 16),
        (Error::PriceTypeMismatch, 17),
        (Error::PriceNotTrading, 18),
        (Error::PublishTimeInFuture, 19),
        (Error::PriceNotPositive, 20),
        (Error::ExponentOutOfRange, 21),
        (Error::DecimalsOutOfRange, 22),
        (Error::PriceOutOfRange, 23),
        (Error::EmaNotPositive, 24),
        (Error::EmaOutOfRange, 25),
        (Error::ConfidenceOutOfRange, 26),
        (Error::OptimalUtilisationInvalid, 40),
        (Error::RatesNotOrdered, 41),
        (Error::RateTooHigh, 42),
        (Error::ReserveFactorInvalid, 43),
        (Error::IndexInvalid, 44),
        (Error::TooManyUnderlyings, 60),
        (Error::UnknownUnderlying, 61),
        (Error::GroupOutOfRange, 62),
        (Error::RangeTooLarge, 63),
        (Error::ConfidenceMultiplierTooLarge, 64),
        (Error::PhiInvalid, 65),
        (Error::RhoInvalid, 66),
        (Error::RhoNotPositiveSemiDefinite, 67),
        (Error::MaintenanceRatioInvalid, 68),
        (Error::MaintenanceRangeTooLarge, 69),
        (Error::ExtremeDampingInvalid, 70),
        (Error::OptionsOutOfOrder, 71),
        (Error::HaircutsInvalid, 72),
        (Error::BorrowWeightsInvalid, 73),
        (Error::ConcentrationInvalid, 74),
        (Error::ShortMinimumInvalid, 75),
        (Error::VolatilityShockInvalid, 76),
        (Error::AccountInsolvent, 80),
        (Error::NotLiquidatable, 81),
        (Error::DiscountInvalid, 82),
        (Error::BufferInvalid, 83),
        (Error::DurationInvalid, 84),
        (Error::FractionInvalid, 85),
        (Error::AccountSolvent, 86),
        (Error::RewardInvalid, 87),
        (Error::SizeZero, 100),
        (Error::HalfSpreadTooLarge, 101),
        (Error::SkewPremiumTooLarge, 102),
        (Error::SkewScaleZero, 103),
        (Error::TakerFeeTooLarge, 104),
        (Error::MarginalPriceNotPositive, 105),
        (Error::LogarithmOfZero, 120),
        (Error::ExponentTooLarge, 121),
        (Error::ForwardOutOfRange, 130),
        (Error::StrikeOutOfRange, 131),
        (Error::VolatilityOutOfRange, 132),
        (Error::ExpiryOutOfRange, 133),
        (Error::DiscountFactorInvalid, 134),
        (Error::OptionPriceOutOfRange, 135),
        (Error::OptionRangeInvalid, 150),
        (Error::LotInvalid, 151),
        (Error::ArraysOutOfReach, 152),
        (Error::ArraysTooOld, 153),
        (Error::TooManyLots, 154),
        (Error::VolatilityBoundsInvalid, 170),
        (Error::HalfLifeInvalid, 171),
        (Error::JumpLimitInvalid, 172),
        (Error::SamplingInvalid, 173),
        (Error::RangeParametersInvalid, 174),
        (Error::ForecastParametersInvalid, 175),
        (Error::ForecastTooFast, 176),
        (Error::ForecastOutOfBounds, 177),
        (Error::StakePoolInvalid, 200),
        (Error::StakePoolMintMismatch, 201),
        (Error::ExchangeRateOutOfRange, 202),
    ];
    assert_eq!(stable.map(|(error, _)| error), Error::ALL);
    for (error, code) in stable {
        assert_eq!(error.code(), code, "{error:?}");
        assert_eq!(error as u32, code, "{error:?}");
    }
}

#[test]
fn each_error_states_its_own_rule() {
    let messages: BTreeSet<String> = Error::ALL.iter().map(Error::to_string).collect();
    assert_eq!(messages.len(), Error::ALL.len());
    assert_eq!(Error::SizeZero.to_string(), "a trade must have a size");
}
