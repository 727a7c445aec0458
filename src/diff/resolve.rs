//! What a reference of the file means once the file is true.
//!
//! Ring groups are looked up by the names and extension numbers that they will have, everything else by
//! what it has now. A group that `absent` deletes can no longer be meant.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;

use foldhash::HashMap;

use crate::diag::{Diagnostic, Rule, nearest_of_any};
use crate::model::{
    Desired, DesiredRingGroup, Directory, ExtensionNumber, FieldName, Found, Handle, Kind, LiveNumber, ObjectRef,
    Reference, Selector, Span, Spanned,
};

use super::delta::Deletion;
use super::matching::Matching;

/// Finding the nearest name looks at every name, so only the first mistakes get one.
const SUGGESTIONS: u32 = 25;

/// A hint names so many objects that could be meant.
const CANDIDATES: usize = 5;

pub(super) struct Resolver<'r, 'a> {
    pub(super) desired: &'a Desired,
    pub(super) directory: &'r Directory<'a>,
    pub(super) matching: &'r Matching,
    names: HashMap<Cow<'a, str>, Entry>,
    extensions: HashMap<&'a str, Entry>,
    absent: HashSet<Handle>,
    suggestions: Cell<u32>,
}

#[derive(Clone, Copy)]
enum Entry {
    One(Handle),
    Several,
}

impl<'r, 'a> Resolver<'r, 'a> {
    pub(super) fn new(
        desired: &'a Desired,
        directory: &'r Directory<'a>,
        matching: &'r Matching,
        absent: &[Deletion],
    ) -> Self {
        let mut resolver = Self {
            desired,
            directory,
            matching,
            names: HashMap::default(),
            extensions: HashMap::default(),
            absent: absent.iter().map(|deletion| deletion.handle).collect(),
            suggestions: Cell::new(SUGGESTIONS),
        };
        let live = &directory.live().ring_groups;
        for (group, &handle) in desired.ring_groups.iter().zip(&matching.handles) {
            add(&mut resolver.names, group.name.value.folded(), handle);
            let kept = || live.get(handle.index as usize).and_then(|group| group.extension.as_ref());
            let extension = resolver.extension(group, handle).map(|extension| &extension.value).or_else(kept);
            if let Some(extension) = extension {
                add(&mut resolver.extensions, extension.as_str(), handle);
            }
        }
        for ((index, group), owner) in (0u32..).zip(live).zip(&matching.desired_of) {
            let handle = Handle { kind: Kind::RingGroup, index };
            if owner.is_none() && !resolver.absent.contains(&handle) {
                add(&mut resolver.names, group.name.folded(), handle);
                if let Some(extension) = &group.extension {
                    add(&mut resolver.extensions, extension.as_str(), handle);
                }
            }
        }
        resolver
    }

    /// Whether the policy leaves this field of a group to others; a group that is new gets what its file says.
    pub(super) fn ignores(&self, group: Handle, field: FieldName) -> bool {
        let exists = (group.index as usize) < self.directory.live().ring_groups.len();
        exists && self.desired.policy.ignore.contains(&field)
    }

    /// The extension number that the file gives a group, unless the policy leaves that to others.
    pub(super) fn extension<'g>(
        &self,
        group: &'g DesiredRingGroup,
        handle: Handle,
    ) -> Option<&'g Spanned<ExtensionNumber>> {
        group.extension.as_ref().filter(|_| !self.ignores(handle, FieldName::Extension))
    }

    /// Whether `absent` deletes this live group.
    pub(super) fn is_absent(&self, handle: Handle) -> bool {
        self.absent.contains(&handle)
    }

    /// The finding on an outside number that is one of the account's own: its calls leave the account and come back.
    pub(super) fn own_number(&self, to: Handle, span: Span) -> Option<Diagnostic> {
        if to.kind != Kind::External {
            return None;
        }
        let number = self.directory.target_id(to)?.0.parse().ok()?;
        let live = &self.directory.live().numbers;
        live.binary_search_by_key(&number, |own: &LiveNumber| own.number).ok()?;
        let message = format!("{number} is a number of this account: its calls would leave the account and come back");
        let finding = Diagnostic::new(Rule::EXTERNAL_OWN_NUMBER, Some(span), message);
        Some(finding.hint("name the object that the number leads to"))
    }

    /// The finding on a target at another site than what leads to it, where the account does not allow that.
    pub(super) fn other_site(&self, from: Handle, to: Handle, span: Span) -> Option<Diagnostic> {
        if self.directory.live().capabilities.across_sites {
            return None;
        }
        let (here, there) = (self.directory.site(from)?, self.directory.site(to)?);
        let what = || format!("lead from the site `{here}` to an object of the site `{there}`");
        (here != there).then(|| unsupported(span, &what()))
    }

    /// The handle of a live reference; `None` if it is dangling or not modelled.
    pub(super) fn live(&self, reference: &'a ObjectRef) -> Option<Handle> {
        self.directory.by_id(reference)
    }

    /// The handle that a reference of the file means, or a diagnostic.
    pub(super) fn resolve(&self, reference: &Reference, span: Span) -> Result<Handle, Box<Diagnostic>> {
        self.decide(self.find(reference), reference, span)
    }

    /// What a reference of the file means.
    pub(super) fn find(&self, reference: &Reference) -> Found {
        if reference.kind == Kind::RingGroup { self.group(reference) } else { self.directory.find(reference) }
    }

    /// The one object that a reference means, or a diagnostic.
    fn decide(&self, found: Found, reference: &Reference, span: Span) -> Result<Handle, Box<Diagnostic>> {
        match found {
            Found::One(handle) => Ok(handle),
            Found::Several(handles) => Err(Box::new(self.ambiguous(reference, span, &handles))),
            Found::None => Err(Box::new(self.unknown(reference, span))),
        }
    }

    /// [`Self::resolve`] for a target that was looked up already and may be the word `none`.
    pub(super) fn found(
        &self,
        target: &Spanned<Option<Reference>>,
        found: Option<Found>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Option<Handle>> {
        let (Some(reference), Some(found)) = (&target.value, found) else {
            return Some(None);
        };
        match self.decide(found, reference, target.span) {
            Ok(handle) => Some(Some(handle)),
            Err(diagnostic) => {
                diagnostics.push(*diagnostic);
                None
            }
        }
    }

    fn group(&self, reference: &Reference) -> Found {
        let by_extension = match &reference.selector {
            Selector::Extension(extension) => self.extensions.get(extension.as_str()),
            _ => None,
        };
        match by_extension.copied().or_else(|| self.names.get(&*reference.selector.folded()).copied()) {
            Some(Entry::One(handle)) => Found::One(handle),
            // Two live groups share the name; matching and the directory both know which.
            Some(Entry::Several) => self.directory.find(reference),
            None => Found::None,
        }
    }

    fn ambiguous(&self, reference: &Reference, span: Span, handles: &[Handle]) -> Diagnostic {
        let shown: Vec<String> = handles
            .iter()
            .take(5)
            .map(|handle| format!("`{}/{}`", reference.kind, self.directory.label(*handle)))
            .collect();
        Diagnostic::new(
            Rule::AMBIGUOUS_REFERENCE,
            Some(span),
            format!("`{reference}` could be any of {} objects", handles.len()),
        )
        .hint(format!("write one of {}", shown.join(", ")))
    }

    fn unknown(&self, reference: &Reference, span: Span) -> Diagnostic {
        if reference.kind == Kind::RingGroup
            && let Some(one) = self.directory.unreadable(reference)
        {
            let message = format!("the ring group `{}` of the account cannot be read: {}", reference.selector, one.why);
            return Diagnostic::new(Rule::UNREADABLE_OBJECT, Some(span), message)
                .hint("nothing new can lead to it; name another target");
        }
        let what = match reference.kind {
            Kind::Voicemail => "voicemail box".to_owned(),
            kind => kind.as_str().replace('_', " "),
        };
        let diagnostic = Diagnostic::new(
            Rule::UNKNOWN_REFERENCE,
            Some(span),
            format!("the account has no {what} `{}`", reference.selector),
        );
        match self.suggestion(reference) {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic.hint(format!("`strowger export --as-snapshot` shows every {what} of the account")),
        }
    }

    fn suggestion(&self, reference: &Reference) -> Option<String> {
        if reference.kind == Kind::RingGroup
            && let Some(group) = self.desired.ring_groups.iter().find(|group| {
                group.renamed_from.as_ref().is_some_and(|old| old.value.key() == reference.selector.key())
            })
        {
            return Some(format!("it is renamed: write `ring_group/{}`", group.name.value));
        }
        self.suggestions.set(self.suggestions.get().checked_sub(1)?);
        let word = reference.selector.key();
        let near = if reference.kind == Kind::RingGroup {
            nearest_of_any(word.as_str(), self.names.keys().map(AsRef::as_ref))
        } else {
            nearest_of_any(word.as_str(), self.directory.texts(reference.kind))
        };
        if let Some(near) = near {
            return Some(format!("did you mean `{}/{near}`?", reference.kind));
        }
        // The right selector with the wrong kind is the other common slip.
        let other = Kind::REFERABLE.into_iter().find(|&kind| {
            let elsewhere = Reference { kind, selector: reference.selector.clone() };
            let found = if kind == Kind::RingGroup { self.group(&elsewhere) } else { self.directory.find(&elsewhere) };
            kind != reference.kind && matches!(found, Found::One(_))
        });
        other
            .map(|kind| format!("did you mean `{kind}/{}`?", reference.selector))
            .or_else(|| self.candidates(reference.kind))
    }

    /// The first few objects of a kind, if the account has any.
    fn candidates(&self, kind: Kind) -> Option<String> {
        let handles = Handle::first(kind, self.directory.live().count(kind));
        let mut handles = handles.filter(|&handle| !self.is_absent(handle) && self.directory.id(handle).is_some());
        let text = |handle: Handle| format!("`{kind}/{}`", self.directory.label(handle));
        let named: Vec<String> = handles.by_ref().take(CANDIDATES).map(text).collect();
        let more = if handles.next().is_some() { "; `strowger export --as-snapshot` shows all" } else { "" };
        (!named.is_empty()).then(|| format!("the account has {}{more}", named.join(", ")))
    }
}

pub(super) fn unsupported(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Rule::UNSUPPORTED_BY_PROVIDER, Some(span), format!("this account cannot {what}"))
}

fn add<K: std::hash::Hash + Eq>(map: &mut HashMap<K, Entry>, key: K, handle: Handle) {
    map.entry(key).and_modify(|entry| *entry = Entry::Several).or_insert(Entry::One(handle));
}
