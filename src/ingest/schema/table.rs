//! The tables of fields, read once.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

/// What a place may hold.
#[derive(Debug)]
pub(super) enum Type {
    /// Anything.
    Any,
    /// A map of anything.
    Map,
    /// Text.
    Text,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A whole number of 32 bits with a sign.
    Int32,
    /// Any number.
    Number,
    /// A number or text.
    IntOrText,
    /// One of these words.
    Words(Vec<&'static str>),
    /// These fields.
    Fields(BTreeMap<&'static str, Field>),
}

/// A field: its type, and the lists and maps around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// `[]` for each list, `{}` for each map of text around it, the outermost first.
    pub around: &'static str,
    /// The place of its type.
    pub of: usize,
}

/// All types, with the fields of which the others are parts.
#[derive(Debug, Default)]
pub(super) struct Table {
    types: Vec<Type>,
    roots: HashMap<&'static str, Field>,
}

const TEXTS: [&str; 2] = [include_str!("istio.txt"), include_str!("kubernetes.txt")];

impl Table {
    /// The table.
    pub fn get() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(Self::read)
    }

    /// The whole of a kind's spec; None for a kind that is not in the table.
    pub fn root(&self, name: &str) -> Option<Field> {
        self.roots.get(name).copied()
    }

    /// The type of a field.
    pub fn of(&self, field: Field) -> &Type {
        self.types.get(field.of).unwrap_or(&Type::Any)
    }

    fn read() -> Self {
        let (mut table, mut paths) = (Self::default(), HashMap::new());
        // The way from the root to the line before, as names and places of types.
        let mut way: Vec<(&str, usize)> = Vec::new();
        for line in TEXTS.into_iter().flat_map(str::lines) {
            let text = line.trim_start_matches(' ');
            way.truncate(line.len() - text.len());
            let (field, what) = text.split_once(' ').unwrap_or((text, ""));
            let (name, around) = field.split_at(field.find(['[', '{']).unwrap_or(field.len()));
            let of = match what.strip_prefix("= ") {
                Some(path) => paths.get(path).copied().unwrap_or(usize::MAX),
                None => {
                    table.types.push(read_type(what));
                    table.types.len() - 1
                }
            };
            match way.last().map(|(_, parent)| &mut table.types[*parent]) {
                Some(Type::Fields(fields)) => drop(fields.insert(name, Field { around, of })),
                _ => drop(table.roots.insert(name, Field { around, of })),
            }
            way.push((name, of));
            paths.insert(way.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("."), of);
        }
        table
    }
}

fn read_type(what: &'static str) -> Type {
    match what {
        "" | "{}" => Type::Fields(BTreeMap::new()),
        "any" => Type::Any,
        "map" => Type::Map,
        "text" => Type::Text,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "int32" => Type::Int32,
        "number" => Type::Number,
        "intOrText" => Type::IntOrText,
        words => Type::Words(words.split(' ').collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_is_read_and_every_reference_is_there() {
        let table = Table::get();
        let own = crate::model::kind::Kind::ALL.into_iter().map(super::super::root);
        let lacking: Vec<String> = own.filter(|root| root != "ConfigMap" && table.root(root).is_none()).collect();
        assert_eq!(lacking, Vec::<String>::new());
        let fields = table.types.iter().filter_map(|of| if let Type::Fields(fields) = of { Some(fields.values()) } else { None });
        assert!(fields.flatten().chain(table.roots.values()).all(|field| field.of < table.types.len()));
    }
}
