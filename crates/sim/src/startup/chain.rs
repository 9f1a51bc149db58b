//! What a start is made of: stages in their order, who does each, and where its length comes from.
//!
//! **Law.** A length has a source: the machine at hand, where the stage is the kernel's and was measured for our own container
//! (the same system call does the same work whoever makes it), or a published figure. Where there is neither it is unknown, and
//! so is the whole, unless the whole itself was published.

use crate::platform::figures::Figure;

/// Where the length of a stage comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Length {
    /// The calibration's median of the stage of this name of `container`: the kernel's work, whoever asks for it.
    Kernel(&'static str),
    /// Number `.1` of a published figure in milliseconds.
    Published(Figure, usize),
    /// Nobody has measured it.
    Unknown,
}

/// A part of a start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step {
    Stage {
        name: &'static str,
        actor: &'static str,
        length: Length,
    },
    /// Here the image is fetched and unpacked, if the tenant has one.
    Pull,
}

/// A start on one platform.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chain {
    pub(crate) steps: Vec<Step>,
    /// What all stages but those of the image take together, where that is published although its parts are not.
    pub(crate) whole: Option<(Figure, usize)>,
}

impl Chain {
    pub(crate) fn of(parts: &[&[Step]]) -> Self {
        Self { steps: parts.concat(), whole: None }
    }

    pub(crate) fn taking(mut self, figure: Figure, index: usize) -> Self {
        self.whole = Some((figure, index));
        self
    }
}

/// A stage of the kernel's, as long as our own container's stage of that name.
pub(crate) const fn kernel(name: &'static str) -> Step {
    Step::Stage { name, actor: "kernel", length: Length::Kernel(name) }
}

/// A stage of unknown length.
pub(crate) const fn unknown(name: &'static str, actor: &'static str) -> Step {
    Step::Stage { name, actor, length: Length::Unknown }
}

/// A stage whose length was published.
pub(crate) const fn published(name: &'static str, actor: &'static str, figure: Figure, index: usize) -> Step {
    Step::Stage { name, actor, length: Length::Published(figure, index) }
}
