//! Reading a document that was checked: what is missing, null or of a wrong type reads as nothing.
//!
//! The check has reported wrong types already; reading goes on past them, so that one look finds every error there is.

use super::node::{Node, field_path, item_path};
use super::shape::{self, Choice};

/// A place in a document.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    pub(super) node: &'a Node,
    /// Its JSON path.
    pub(super) path: String,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(node: &'a Node, path: &str) -> Cursor<'a> {
        Cursor { node, path: path.into() }
    }

    /// The field, unless it is missing or null.
    pub(super) fn field(&self, name: &str) -> Option<Cursor<'a>> {
        let Node::Object(fields) = self.node else { return None };
        let (_, node) = fields.iter().find(|(key, node)| key == name && *node != Node::Null)?;
        Some(Cursor { node, path: field_path(&self.path, name) })
    }

    /// All fields that are not null.
    pub(super) fn fields(&self) -> Vec<(&'a str, Cursor<'a>)> {
        let Node::Object(fields) = self.node else { return Vec::new() };
        let set = fields.iter().filter(|(_, node)| !matches!(node, Node::Null));
        set.map(|(key, node)| (key.as_str(), Cursor { node, path: field_path(&self.path, key) })).collect()
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Vec<Cursor<'a>> {
        let Node::List(items) = self.node else { return Vec::new() };
        items.iter().enumerate().map(|(index, node)| Cursor { node, path: item_path(&self.path, index) }).collect()
    }

    /// The items of a list; what is no list is an item itself.
    pub(super) fn items_or_self(&self) -> Vec<Cursor<'a>> {
        match self.node {
            Node::List(_) => self.items(),
            _ => vec![self.clone()],
        }
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        match self.node {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self.node {
            Node::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn integer(&self) -> Option<u64> {
        shape::integer(self.node)
    }

    /// Its place among the names of a choice.
    pub(super) fn choice<T: Copy>(&self, choice: &Choice, values: &[(&str, T)]) -> Option<T> {
        let name = choice.read(self.node)?;
        values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}
