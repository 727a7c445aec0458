//! Whether a call went a way that was allowed.

use std::collections::BTreeSet;
use std::fmt;

use super::call::{Call, Ending};
use super::timeline::Timeline;

/// A way that a call may go, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// The phones that ring, one set after the other; those of a set at the same time.
    pub rings: Vec<BTreeSet<String>>,
    pub status: u16,
    /// Who answers, where no phone does.
    pub by: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It went one of the ways, from beginning to end.
    Whole,
    /// It was answered, but by phones that belong to no one way.
    Mixed,
    /// The caller was refused where no way ends so.
    Refused,
    /// The caller never got an answer.
    Lost,
}

impl Path {
    fn fits(&self, call: &Call, ending: &Ending) -> bool {
        let mut rang = call.rang.iter().map(|(_, phone)| phone);
        let rings = self.rings.iter().all(|set| {
            let together: BTreeSet<&String> = rang.by_ref().take(set.len()).collect();
            together.len() == set.len() && together.into_iter().eq(set)
        });
        let same_end = self.status == ending.status && self.by.is_none_or(|by| by == ending.by);
        rings && rang.next().is_none() && same_end
    }
}

pub fn judge(call: &Call, allowed: &[Path]) -> Verdict {
    let Some((_, ending)) = &call.ending else { return Verdict::Lost };
    if allowed.iter().any(|path| path.fits(call, ending)) {
        Verdict::Whole
    } else if ending.status == 200 || allowed.iter().any(|path| path.status == ending.status) {
        Verdict::Mixed
    } else {
        Verdict::Refused
    }
}

/// The calls of a test, by verdict.
#[derive(Debug, Default)]
pub struct Count {
    pub whole: usize,
    pub mixed: usize,
    pub refused: usize,
    pub lost: usize,
    /// Those of them that could go more than one way, because a change was under way.
    pub during_changes: usize,
    /// The calls that were not whole.
    pub stories: Vec<String>,
}

impl Count {
    pub fn of<'a>(calls: impl IntoIterator<Item = &'a Call>, timeline: &Timeline) -> Self {
        let mut count = Self::default();
        for call in calls {
            let allowed = timeline.paths(call);
            let verdict = judge(call, &allowed);
            match verdict {
                Verdict::Whole => count.whole += 1,
                Verdict::Mixed => count.mixed += 1,
                Verdict::Refused => count.refused += 1,
                Verdict::Lost => count.lost += 1,
            }
            count.during_changes += usize::from(allowed.iter().any(|path| *path != allowed[0]));
            if verdict != Verdict::Whole {
                let since = |moment: f64| format!("{:.3}", moment - call.dialled);
                let rang: Vec<_> = call.rang.iter().map(|(at, phone)| format!("{phone} at {}", since(*at))).collect();
                let ending = call.ending.as_ref().map(|(at, ending)| format!("{ending:?} at {}", since(*at)));
                let (number, dialled) = (&call.number, call.dialled);
                count
                    .stories
                    .push(format!("{verdict:?}: {number} at {dialled:.3}: {rang:?}, {ending:?}; allowed: {allowed:?}"));
            }
        }
        count
    }

    pub fn calls(&self) -> usize {
        self.whole + self.mixed + self.refused + self.lost
    }

    /// Fails unless all calls were whole.
    #[track_caller]
    pub fn expect_all_whole(&self) {
        assert_eq!(self.calls(), self.whole, "{self}\n{}", self.stories.join("\n"));
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { whole, mixed, refused, lost, during_changes, .. } = self;
        let calls = self.calls();
        write!(f, "{calls} calls, {during_changes} during a change of their way: ")?;
        write!(f, "{whole} whole, {mixed} mixed, {refused} refused, {lost} lost")
    }
}
