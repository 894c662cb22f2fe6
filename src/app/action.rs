//! Everything a person can ask the program to do: one table of names, keys, places and words.
//!
//! The table is the only place where a key is given a meaning. The footer, the help screen, the command palette and
//! the README are made from it by [`super::keymap`].

mod places;

use places::{
    ANSWERS, COMPARED, EVERYWHERE, FOUND, HOME, LEVELS, LINES, LOGS, MISSES, NOT_CHAINS, NOT_HELP, NOT_LOGS, NOT_MTLS, NOT_ORDER, NOT_WHY,
    OF_PLUGIN, ONE_PROXY, PARTED, SUPPOSES, SYNCED, TELLS, TREE,
};

use super::key::Key::{self, Char, Ctrl, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Up};

/// A screen of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// All plugins: home.
    Plugins,
    /// The workloads of a plugin.
    Workloads,
    /// The filter chains of a proxy.
    Chains,
    /// Why the plugin is where it is, and as often.
    Why,
    /// What would be under another mode, or with other objects.
    WhatIf,
    /// The mutual TLS of a workload.
    Mtls,
    /// Which chain takes a connection.
    Connection,
    /// In which order plugins run.
    Order,
    /// The logs of istiod and of proxies.
    Logs,
    /// All that is known of a line.
    Record,
    /// The story of a plugin's last change.
    Timeline,
    /// The sync status of each proxy with istiod.
    Sync,
    /// What istiod would send a proxy against what it has.
    Diff,
    /// The health of a plugin in each of its proxies.
    Health,
    /// The raw JSON of a filter or chain.
    Raw,
    /// What is wrong, and what could not be read or understood.
    Findings,
    /// Keys and words.
    Help,
}

impl View {
    /// All screens, in the order in which documents list them.
    pub const ALL: [Self; 17] = [
        Self::Plugins,
        Self::Workloads,
        Self::Chains,
        Self::Why,
        Self::WhatIf,
        Self::Mtls,
        Self::Connection,
        Self::Order,
        Self::Logs,
        Self::Record,
        Self::Timeline,
        Self::Sync,
        Self::Diff,
        Self::Health,
        Self::Raw,
        Self::Findings,
        Self::Help,
    ];

    /// Its name for a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Plugins => "Plugins",
            Self::Workloads => "Workloads",
            Self::Chains => "Chains",
            Self::Why => "Why",
            Self::WhatIf => "What if",
            Self::Mtls => "mTLS",
            Self::Connection => "Connection",
            Self::Order => "Order",
            Self::Logs => "Logs",
            Self::Record => "Line",
            Self::Timeline => "Timeline",
            Self::Sync => "Sync",
            Self::Diff => "Diff",
            Self::Health => "Health",
            Self::Raw => "Raw",
            Self::Findings => "Findings",
            Self::Help => "Help",
        }
    }
}

/// What must be so for an action to be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// The source has scenes to switch between: the demo.
    Scenes,
    /// A proxy of a live mesh is in question. Elsewhere the key says so, and the footer does not list it.
    LiveProxy,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// What is done.
    pub action: Action,
    /// Its name, for the command palette and the footer.
    pub name: &'static str,
    /// What it does, as one clause.
    pub does: &'static str,
    /// Its keys, the one to show first; none for an action that is run by name.
    pub keys: &'static [Key],
    /// Where it applies.
    pub views: &'static [View],
    /// What must be so.
    pub needs: Needs,
    /// Its place in the footer, 1 first and kept longest; 0 for none.
    pub footer: u8,
}

macro_rules! actions {
    ($($action:ident $name:literal $keys:expr, $views:ident, $needs:ident, $footer:literal, $does:literal;)+) => {
        /// An action. Each means the same on every screen on which it applies.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $(#[doc = $does] $action,)+ }

        /// The table.
        pub const BINDINGS: &[Binding] = &[$(Binding {
            action: Action::$action,
            name: $name,
            does: $does,
            keys: &$keys,
            views: $views,
            needs: Needs::$needs,
            footer: $footer,
        },)+];
    };
}

actions! {
    Open         "open"         [Enter],             NOT_MTLS,   Nothing, 1,  "Open what is selected";
    Back         "back"         [Esc],               EVERYWHERE, Nothing, 9,  "Go back; cancel what is waited for or typed";
    Why          "why"          [Char('w')],         NOT_WHY,    Nothing, 2,  "Say why the plugin is here, and why so often";
    Chains       "chains"       [Char('c')],         NOT_CHAINS, Nothing, 3,  "Show the filter chains of the selected workload";
    WhatIf       "what-if"      [Char('x')],         SUPPOSES,   Nothing, 8,  "Ask what would be under another mutual TLS mode, or with other objects";
    Mtls         "mtls"         [Char('m')],         NOT_MTLS,   Nothing, 8,  "Show the mutual TLS of the selected workload";
    Connection   "connection"   [Char('i')],         ONE_PROXY,  Nothing, 3,  "Ask which chain takes a connection";
    Order        "order"        [Char('o')],         NOT_ORDER,  Nothing, 4,  "Show in which order plugins run, and between which filters";
    Logs         "logs"         [Char('l')],         NOT_LOGS,   Nothing, 4,  "Read the logs of istiod and of the selected plugin's or workload's proxies";
    RaiseLevel   "raise-level"  [Char('L')],         LEVELS,     LiveProxy, 7,  "Raise the level of the proxy's wasm logger for a limited time, or put it back";
    Timeline     "timeline"     [Char('t')],         TELLS,      Nothing, 8,  "Tell the story of the plugin's last change";
    Sync         "sync"         [Char('s')],         SYNCED,     Nothing, 10, "Show what istiod sent to each proxy, and what the proxy made of it";
    Diff         "diff"         [Char('d')],         COMPARED,   Nothing, 0,  "Hold what the proxy has against what istiod would send it";
    Health       "health"       [Char('h')],         OF_PLUGIN,  Nothing, 8,  "Show whether the plugin runs in each of its proxies, and what shows it";
    NearMisses   "near-misses"  [Char('n')],         MISSES,     Nothing, 8,  "Show what keeps the plugin from the workloads that it does not reach";
    Find         "find"         [Char('/')],         EVERYWHERE, Nothing, 4,  "Find by any letters of a name, in their order";
    Commands     "command"      [Char(':')],         EVERYWHERE, Nothing, 5,  "Run an action by its name";
    Copy         "copy"         [Char('y')],         EVERYWHERE, Nothing, 6,  "Copy what is selected";
    Help         "help"         [Char('?')],         NOT_HELP,   Nothing, 7,  "Show all keys and what this screen's words mean";
    Findings     "findings"     [Char('f')],         ANSWERS,    Nothing, 12, "Show what is wrong, and what could not be read or understood";
    EveryProxy   "every-proxy"  [Char('a')],         FOUND,      Nothing, 0,  "Read the proxies too that were left out at first";
    Refresh      "refresh"      [Char('r')],         NOT_MTLS,   Nothing, 11, "Ask the proxies and istiod again; read the logs anew";
    AllNamespaces "all-namespaces" [Char('A')],      HOME,       Nothing, 10, "Look at all namespaces, or at the own one again";
    NextScene    "next-scene"   [Char('M')],         ANSWERS,    Scenes,  10, "Show the demo's mesh in its next mutual TLS mode";
    Down         "down"         [Char('j'), Down],   EVERYWHERE, Nothing, 0,  "Go down a row";
    Up           "up"           [Char('k'), Up],     EVERYWHERE, Nothing, 0,  "Go up a row";
    PageDown     "page-down"    [PageDown, Ctrl('d')], EVERYWHERE, Nothing, 0, "Go down a screen";
    PageUp       "page-up"      [PageUp, Ctrl('u')], EVERYWHERE, Nothing, 0,  "Go up a screen";
    First        "first"        [Char('g'), Home],   EVERYWHERE, Nothing, 0,  "Go to the beginning";
    Last         "last"         [Char('G'), End],    EVERYWHERE, Nothing, 0,  "Go to the end";
    NextPart     "next-part"    [Char('J')],         PARTED,     Nothing, 0,  "Show the next part of what is said below the list";
    Toggle       "toggle"       [Char(' ')],         TREE,       Nothing, 0,  "Show or hide what is inside the selected row";
    Expand       "expand"       [Right],             TREE,       Nothing, 0,  "Show what is inside the selected row";
    Collapse     "collapse"     [Left],              TREE,       Nothing, 0,  "Hide what is inside, or go to the row above it";
    ExpandAll    "expand-all"   [Char('e')],         TREE,       Nothing, 8,  "Show what is inside every row, or hide it again";
    Filter       "filter"       [Char('F')],         LOGS,       Nothing, 2,  "Say which lines are shown, in the words of the command line";
    Graver       "graver"       [Char('+')],         LOGS,       Nothing, 8,  "Show graver lines alone";
    Milder       "milder"       [Char('-')],         LOGS,       Nothing, 8,  "Show less grave lines too";
    AllLines     "all-lines"    [Char('p')],         LOGS,       Nothing, 8,  "Show all lines, or the plugin's alone again";
    Mark         "mark"         [Char(' ')],         LOGS,       Nothing, 7,  "Mark the selected line for copying, or take its mark away";
    Save         "save"         [Char('S')],         LOGS,       Nothing, 7,  "Save the lines that are shown to a file, as text";
    NextError    "next-error"   [Char(']')],         LOGS,       Nothing, 5,  "Go to the next error";
    PreviousError "previous-error" [Char('[')],      LOGS,       Nothing, 0,  "Go to the error before";
    NextWarning  "next-warning" [Char(')')],         LOGS,       Nothing, 6,  "Go to the next warning or error";
    PreviousWarning "previous-warning" [Char('(')],  LOGS,       Nothing, 0,  "Go to the warning or error before";
    NextFound    "next-found"   [Char('>')],         LOGS,       Nothing, 0,  "Go to the next line with what was found";
    PreviousFound "previous-found" [Char('<')],      LOGS,       Nothing, 0,  "Go to the line before with what was found";
    Plugin       "plugin"       [Char('P')],         LINES,      Nothing, 5,  "Go to the workloads of the line's plugin";
    ScrollRight  "scroll-right" [Right],             LOGS,       Nothing, 0,  "Show what is further to the right in long lines";
    ScrollLeft   "scroll-left"  [Left],              LOGS,       Nothing, 0,  "Show what is further to the left";
    TimeColumn   "time-column"  [Char('1')],         LOGS,       Nothing, 0,  "Show or hide when lines were written";
    SourceColumn "source-column" [Char('2')],        LOGS,       Nothing, 0,  "Show or hide whose lines they are";
    WhatColumn   "what-column"  [Char('3')],         LOGS,       Nothing, 0,  "Show or hide what lines are";
    LevelColumn  "level-column" [Char('4')],         LOGS,       Nothing, 0,  "Show or hide levels";
    ScopeColumn  "scope-column" [Char('5')],         LOGS,       Nothing, 0,  "Show or hide scopes and components";
    NextTheme    "next-theme"   [Char('T')],         EVERYWHERE, Nothing, 0,  "Change to the next theme";
    Suspend      "suspend"      [Ctrl('z')],         EVERYWHERE, Nothing, 0,  "Suspend the program; `fg` in the shell resumes it";
    Quit         "quit"         [Char('q'), Ctrl('c')], EVERYWHERE, Nothing, 13, "Leave the program";
}

impl Action {
    /// Its row of the table.
    pub fn binding(self) -> &'static Binding {
        // The macro writes variants and rows in the same order.
        &BINDINGS[self as usize]
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.binding().name
    }
}
