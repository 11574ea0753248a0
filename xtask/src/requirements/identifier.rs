//! The ids of the three checklists.

use std::fmt;

/// `S-23` (reviews), `V6.3.8` (ASVS 5.0) or `A-1` (attacks); sorted in this order, by number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Identifier {
    /// An item of the reviews.
    Seed(u16),
    /// Chapter, section and requirement of ASVS 5.0.
    Asvs(u8, u8, u8),
    /// An attack of the catalogue.
    Attack(u16),
}

impl Identifier {
    /// Reads one id, exactly as it is written in the checklists.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let identifier = Self::read(text)?;
        (identifier.to_string() == text).then_some(identifier)
    }

    fn read(text: &str) -> Option<Self> {
        if let Some(number) = text.strip_prefix("S-") {
            return number.parse().ok().map(Self::Seed);
        }
        if let Some(number) = text.strip_prefix("A-") {
            return number.parse().ok().map(Self::Attack);
        }
        let mut parts = text.strip_prefix('V')?.split('.').map(|part| part.parse().ok());
        let identifier = Self::Asvs(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(identifier)
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seed(number) => write!(formatter, "S-{number}"),
            Self::Asvs(chapter, section, number) => write!(formatter, "V{chapter}.{section}.{number}"),
            Self::Attack(number) => write!(formatter, "A-{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_strictly_and_sorted_by_number() {
        for text in ["S-1", "S-273", "V6.3.8", "V10.4.16", "A-44"] {
            assert_eq!(Identifier::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "S1", "S-01", "s-1", "S-", "V6.3", "V6.3.8.1", "V6.3.x", "A-1a", "B-1"] {
            assert_eq!(Identifier::parse(text), None, "{text}");
        }
        assert!(Identifier::parse("S-9") < Identifier::parse("S-10"));
        assert!(Identifier::parse("V6.10.1") > Identifier::parse("V6.9.9"));
    }
}
