//! One row of a dialplan: what is done, as far as Strowger writes such rows itself.

use std::fmt;

/// What a row does, if Strowger would write it in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Goes on at priority 1 of an extension.
    Goto { context: Box<str>, exten: Box<str> },
    /// Rings phones, for so many seconds or without end.
    Dial { targets: Vec<Target>, seconds: Option<u64> },
    /// Takes a message, with the greeting for someone who does not answer.
    VoiceMail { mailbox: Box<str> },
    /// Ends the call, with the cause (Q.850) that callers see.
    Hangup { cause: Option<u8> },
    /// Does nothing: a note.
    Note(Box<str>),
}

/// What a `Dial` rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// One contact of an endpoint, or all of them.
    Endpoint { id: Box<str>, all_contacts: bool },
    /// A number, through a trunk.
    Trunk { number: Box<str>, trunk: Box<str> },
    /// An extension of a context: a part of a long list.
    Local { exten: Box<str>, context: Box<str> },
}

impl Action {
    pub(super) fn goto(context: &str, exten: &str) -> Self {
        Self::Goto { context: context.into(), exten: exten.into() }
    }

    pub(super) fn parse(app: &str, data: &str) -> Option<Self> {
        match &*app.to_ascii_lowercase() {
            "goto" => goto(data),
            "dial" => dial(data),
            "voicemail" => voicemail(data),
            "hangup" => match data {
                "" => Some(Self::Hangup { cause: None }),
                cause => cause.parse().ok().map(|cause| Self::Hangup { cause: Some(cause) }),
            },
            "noop" => Some(Self::Note(data.into())),
            _ => None,
        }
    }

    /// The columns `app` and `appdata` of the row.
    pub(super) fn columns(&self) -> (&'static str, String) {
        match self {
            Self::Goto { context, exten } => ("Goto", format!("{context},{exten},1")),
            Self::Dial { targets, seconds } => ("Dial", dialled(targets, *seconds)),
            Self::VoiceMail { mailbox } => ("VoiceMail", format!("{mailbox},u")),
            Self::Hangup { cause } => ("Hangup", cause.map(|cause| cause.to_string()).unwrap_or_default()),
            Self::Note(text) => ("NoOp", text.to_string()),
        }
    }
}

/// The argument of a `Dial`.
pub(super) fn dialled(targets: &[Target], seconds: Option<u64>) -> String {
    let targets: Vec<_> = targets.iter().map(ToString::to_string).collect();
    let seconds = seconds.map(|seconds| format!(",{seconds}")).unwrap_or_default();
    format!("{}{seconds}", targets.join("&"))
}

fn goto(data: &str) -> Option<Action> {
    let mut parts = data.split(',');
    let (context, exten, priority) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = priority == "1" && parts.next().is_none() && is_plain(context) && is_plain(exten);
    whole.then(|| Action::goto(context, exten))
}

fn dial(data: &str) -> Option<Action> {
    let mut parts = data.split(',');
    let targets = parts.next()?.split('&').map(Target::parse).collect::<Option<Vec<_>>>()?;
    let seconds = match parts.next() {
        None | Some("") => None,
        Some(seconds) => Some(seconds.parse().ok()?),
    };
    // Options change what a call does.
    parts.all(str::is_empty).then_some(Action::Dial { targets, seconds })
}

fn voicemail(data: &str) -> Option<Action> {
    let (mailbox, options) = data.split_once(',')?;
    let (number, context) = mailbox.split_once('@')?;
    let whole = options == "u" && is_plain(number) && is_plain(context);
    whole.then(|| Action::VoiceMail { mailbox: mailbox.into() })
}

/// Whether a text is a name, and not an expression with variables.
pub(super) fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "${}&,@()[]/\"".contains(c))
}

impl Target {
    fn parse(text: &str) -> Option<Self> {
        if let Some(id) = text.strip_prefix("${PJSIP_DIAL_CONTACTS(").and_then(|rest| rest.strip_suffix(")}")) {
            return is_plain(id).then(|| Self::Endpoint { id: id.into(), all_contacts: true });
        }
        if let Some(rest) = text.strip_prefix("Local/").and_then(|rest| rest.strip_suffix("/n")) {
            let (exten, context) = rest.split_once('@')?;
            return (is_plain(exten) && is_plain(context))
                .then(|| Self::Local { exten: exten.into(), context: context.into() });
        }
        let rest = text.strip_prefix("PJSIP/")?;
        match rest.split_once('@') {
            None => is_plain(rest).then(|| Self::Endpoint { id: rest.into(), all_contacts: false }),
            Some((number, trunk)) => (is_plain(number) && is_plain(trunk))
                .then(|| Self::Trunk { number: number.into(), trunk: trunk.into() }),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint { id, all_contacts: false } => write!(f, "PJSIP/{id}"),
            Self::Endpoint { id, all_contacts: true } => write!(f, "${{PJSIP_DIAL_CONTACTS({id})}}"),
            Self::Trunk { number, trunk } => write!(f, "PJSIP/{number}@{trunk}"),
            Self::Local { exten, context } => write!(f, "Local/{exten}@{context}/n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_strowger_writes_are_read_back() {
        for (app, data) in [
            ("Goto", "internal,201,1"),
            ("Dial", "PJSIP/amelie&${PJSIP_DIAL_CONTACTS(bruno)},20"),
            ("Dial", "PJSIP/amelie"),
            ("Dial", "PJSIP/+33199999999@trunk,60"),
            ("Dial", "Local/7f3a.4-1@ring-groups/n&Local/7f3a.4-2@ring-groups/n,20"),
            ("VoiceMail", "201@default,u"),
            ("Hangup", "19"),
            ("Hangup", ""),
            ("NoOp", "strowger:label=Ventes ${x};\"y\""),
        ] {
            let action = Action::parse(app, data);
            assert_eq!(action.map(|action| action.columns()), Some((app, data.to_owned())));
        }
    }

    #[test]
    fn what_would_be_written_differently_is_something_else() {
        for (app, data) in [
            ("Goto", "201,1"),
            ("Goto", "internal,201,n"),
            ("Goto", "internal,${EXTEN},1"),
            ("Goto", "internal,201,1,2"),
            ("Dial", "PJSIP/amelie,20,tT"),
            ("Dial", "PJSIP/amelie,${TIME}"),
            ("Dial", "PJSIP/amelie&PJSIP"),
            ("Dial", "PJSIP/amelie/sip:a@example.org,20"),
            ("Dial", "SIP/amelie,20"),
            ("Dial", ""),
            ("VoiceMail", "201"),
            ("VoiceMail", "201@default,s"),
            ("Hangup", "${HANGUPCAUSE}"),
            ("Queue", "sales"),
        ] {
            assert_eq!(Action::parse(app, data), None, "{app}({data})");
        }
    }
}
