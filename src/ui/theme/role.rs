//! The roles that a theme gives a look: what a piece of text means on the screen, never what colour it has.

macro_rules! roles {
    ($($(#[doc = $doc:literal])+ $role:ident = $name:literal,)+) => {
        /// What a piece of the screen means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Role { $($(#[doc = $doc])+ $role,)+ }

        impl Role {
            /// All roles, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$role,)+];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The name in theme files.
            pub fn name(self) -> &'static str {
                match self { $(Self::$role => $name,)+ }
            }
        }
    };
}

roles! {
    /// Ordinary text, and the ground of the whole screen.
    Text = "text",
    /// What may be read last: units, defaults, explanations beside the point.
    Muted = "muted",
    /// The name of a screen, a pane or a section of text.
    Title = "title",
    /// The way back in line 1.
    Breadcrumb = "breadcrumb",
    /// Lines around a pane.
    Border = "border",
    /// Lines around the pane that has the keys.
    BorderFocus = "border-focus",
    /// The selected row, laid over what stands in it.
    Selection = "selection",
    /// The names of a table's columns.
    HeaderRow = "header-row",
    /// A row that divides a list: `─ not matched ───`.
    Section = "section",
    /// The marks of a tree.
    Tree = "tree",
    /// The plugin that is looked at, wherever it appears in a chain.
    Plugin = "plugin",
    /// It is as it should be.
    Good = "good",
    /// It may not be what was meant.
    Warning = "warning",
    /// It is broken.
    Bad = "bad",
    /// A fact without a verdict.
    Info = "info",
    /// Mutual TLS.
    Mtls = "mtls",
    /// Plain text on the wire.
    Plaintext = "plaintext",
    /// A key of the keyboard.
    Key = "key",
    /// The characters that a search found.
    Match = "match",
    /// A number that is an answer.
    Count = "count",
    /// The line that says the last thing that happened.
    EventLine = "event-line",
    /// The same line where it tells of a failure.
    ErrorLine = "error-line",
    /// What is being typed.
    Prompt = "prompt",
}

impl Role {
    /// The role of a name in a theme file.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.name() == name)
    }

    /// Whether text is read in it, so that it must stand out from its ground. Lines need not.
    pub fn carries_text(self) -> bool {
        !matches!(self, Self::Border | Self::BorderFocus)
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }
}
