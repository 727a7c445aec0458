//! An account of any size, both desired and live.
//!
//! Every object differs between the two with the same small chance, or because what it points at is not there
//! yet. Each that differs needs exactly one write: no two objects swap names or extension numbers.

use super::random::{Question, Random};

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many numbers; at least one, which is the default number.
    pub numbers: u64,
    /// How many ring groups are wanted.
    pub groups: u64,
    /// How many users; at least [`Shape::FEWEST_USERS`].
    pub users: u64,
    /// Where the randomness comes from.
    pub seed: u64,
    /// How many objects of a million differ.
    pub different: u64,
}

/// A user's part in a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Receptionist,
    Conference,
    User(u64),
    Device(u64),
    Voicemail(u64),
    Group(u64),
    None,
}

/// One side of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    pub to: Target,
    /// `None` is a label that the file does not manage; the account has none.
    pub label: Option<Label>,
}

/// The text beside a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    Wanted,
    Old,
}

/// One side of a ring group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Whether it has the name of before.
    pub former_name: bool,
    pub sequential: bool,
    pub members: Vec<Target>,
    pub seconds: u64,
    pub no_answer: Target,
}

/// How a group differs by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    Members,
    RingFor,
    Mode,
    NoAnswer,
    Renamed,
    Missing,
}

/// An account.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    pub shape: Shape,
    random: Random,
}

impl Shape {
    /// Fewer could not fill the largest group with other people than before.
    pub const FEWEST_USERS: u64 = 8;
}

impl Account {
    pub fn new(shape: Shape) -> Self {
        Self { shape, random: Random::new(shape.seed) }
    }

    fn draw(&self, most: u64, question: Question, index: u64) -> u64 {
        self.random.below(most, question, index)
    }

    fn user(&self, index: u64) -> u64 {
        index % self.shape.users
    }

    /// The group as the file asks for it.
    pub fn wanted_group(&self, index: u64) -> Group {
        let first = self.draw(self.shape.users, Question::FirstMember, index);
        let size = 2 + self.draw(3, Question::Size, index);
        let sequential = self.draw(8, Question::Ring, index) == 0;
        let members = (first..first + size).map(|user| match user % 5 {
            0 => Target::Device(self.user(user)),
            _ => Target::User(self.user(user)),
        });
        // Groups point back only, so that nothing goes round in a circle.
        let no_answer = match self.draw(5, Question::NoAnswer, index) {
            0 if index > 0 => Target::Group(self.draw(index, Question::NoAnswerGroup, index)),
            1 => Target::User(self.user(first + size)),
            2 => Target::None,
            _ => Target::Voicemail(self.user(first)),
        };
        // Four members in turn wait for a minute at most.
        let seconds = if sequential { 15 } else { 15 + 5 * self.draw(4, Question::RingFor, index) };
        Group { former_name: false, sequential, members: members.collect(), seconds, no_answer }
    }

    fn difference(&self, index: u64) -> Option<Difference> {
        let differs = self.draw(1_000_000, Question::GroupDiffers, index) < self.shape.different;
        differs.then(|| match self.draw(16, Question::GroupDifference, index) {
            0..5 => Difference::Members,
            5..8 => Difference::RingFor,
            8..10 => Difference::Mode,
            10..13 => Difference::NoAnswer,
            13..15 => Difference::Renamed,
            _ => Difference::Missing,
        })
    }

    /// The group as it is; `None` if it is not there yet.
    pub fn live_group(&self, index: u64) -> Option<Group> {
        let mut group = self.wanted_group(index);
        match self.difference(index) {
            None => {}
            Some(Difference::Missing) => return None,
            Some(Difference::Members) => {
                // Another member in the last place: sets differ as well as lists.
                let first = self.draw(self.shape.users, Question::FirstMember, index);
                group.members.pop();
                group.members.push(Target::User(self.user(first + 6)));
            }
            Some(Difference::RingFor) => group.seconds += 10,
            Some(Difference::Mode) => group.sequential = !group.sequential,
            Some(Difference::NoAnswer) => {
                let first = self.draw(self.shape.users, Question::FirstMember, index);
                group.no_answer = Target::Voicemail(self.user(first + 7));
            }
            Some(Difference::Renamed) => group.former_name = true,
        }
        if let Target::Group(other) = group.no_answer
            && self.is_missing(other)
        {
            group.no_answer = Target::None;
        }
        Some(group)
    }

    fn is_missing(&self, group: u64) -> bool {
        self.difference(group) == Some(Difference::Missing)
    }

    /// Whether the group has another name in the account.
    pub fn is_renamed(&self, group: u64) -> bool {
        self.difference(group) == Some(Difference::Renamed)
    }

    /// The groups that the account has beside the wanted ones, and that the file wants gone: one for each that
    /// is not there yet.
    pub fn closing_groups(&self) -> impl Iterator<Item = u64> {
        (0..self.shape.groups).filter(|index| self.is_missing(*index))
    }

    /// The number as the file asks for it.
    pub fn wanted_number(&self, index: u64) -> Number {
        let to = match self.draw(100, Question::To, index) {
            _ if index == 0 => Target::Receptionist,
            0 => Target::None,
            1 => Target::Conference,
            2..5 => Target::Receptionist,
            5..50 if self.shape.groups > 0 => Target::Group(self.draw(self.shape.groups, Question::Target, index)),
            _ => Target::User(self.draw(self.shape.users, Question::Target, index)),
        };
        let labelled = index == 0 || self.draw(5, Question::Labelled, index) < 3;
        Number { to, label: labelled.then_some(Label::Wanted) }
    }

    /// The number as it is.
    pub fn live_number(&self, index: u64) -> Number {
        let mut number = self.wanted_number(index);
        if self.draw(1_000_000, Question::NumberDiffers, index) < self.shape.different {
            let kind = self.draw(4, Question::NumberDifference, index);
            if kind < 2 && number.label.is_some() {
                number.label = Some(Label::Old);
            }
            // The default number always leads somewhere.
            if index > 0 && (kind > 0 || number.label.is_none()) {
                number.to = self.elsewhere(number.to, index);
            }
        }
        match number.to {
            Target::Group(group) if self.is_missing(group) => Number { to: Target::Receptionist, ..number },
            _ => number,
        }
    }

    fn elsewhere(&self, to: Target, index: u64) -> Target {
        let user = self.draw(self.shape.users, Question::OtherTarget, index);
        match to {
            Target::Group(group) if self.shape.groups > 1 && index.is_multiple_of(2) => {
                Target::Group((group + 1) % self.shape.groups)
            }
            Target::User(same) if same == user => Target::None,
            _ => Target::User(user),
        }
    }
}
