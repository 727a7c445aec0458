//! Randomness without a state: every question about an object has its own answer, in any order.
//!
//! So both files are written in one walk each, object by object, and nothing of the account is kept in memory.

/// Where the answers come from.
#[derive(Clone, Copy, Debug)]
pub struct Random {
    seed: u64,
}

impl Random {
    /// The same seed gives the same answers.
    pub fn new(seed: u64) -> Self {
        Self { seed: mix(seed) }
    }

    /// A number below `most`, for a question about the object at this position.
    pub fn below(self, most: u64, question: Question, index: u64) -> u64 {
        // The high bits of the product: unlike a remainder, it prefers no small answer that anybody would notice.
        let bits = mix(self.seed ^ mix(index ^ ((question as u64) << 56)));
        u64::try_from((u128::from(bits) * u128::from(most.max(1))) >> 64).unwrap_or_default()
    }
}

/// What is asked; each question is independent of the others.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub enum Question {
    Size = 1,
    FirstMember,
    Ring,
    RingFor,
    NoAnswer,
    NoAnswerGroup,
    GroupDiffers,
    GroupDifference,
    To,
    Target,
    Labelled,
    NumberDiffers,
    NumberDifference,
    OtherTarget,
}

/// The finaliser of splitmix64.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
