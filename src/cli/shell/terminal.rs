//! A person at a terminal: lines that can be edited, history, completion.
//!
//! Invariant: the history is only ever that of a person, and only theirs to read: statements hold
//! contents of documents.

use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
};

use rustyline::{
    Config, Context, Editor, Helper,
    completion::Completer,
    config::CompletionType,
    error::ReadlineError,
    highlight::Highlighter,
    hint::Hinter,
    history::FileHistory,
    validate::{ValidationContext, ValidationResult, Validator},
};

use super::{
    super::Failure,
    reader::{Input, Reader},
    vocabulary::Vocabulary,
    words,
};

/// What a person sees when they are asked.
const PROMPT: &str = "monsterdb> ";

/// Statements that are remembered.
const HISTORY_MAX: usize = 2_000;

/// The terminal that this process was started in.
pub(super) struct Terminal {
    editor: Editor<Aid, FileHistory>,
    history: Option<PathBuf>,
}

/// What the editor asks while a person types.
struct Aid(Rc<RefCell<Vocabulary>>);

impl Terminal {
    /// Begins, with the history that there is.
    pub(super) fn new(
        vocabulary: Rc<RefCell<Vocabulary>>,
        history: Option<&Path>,
    ) -> Result<Terminal, Failure> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(HISTORY_MAX)
            .and_then(|config| config.history_ignore_dups(true))
            .map_err(failed)?
            .history_ignore_space(true)
            .build();
        let mut editor = Editor::with_config(config).map_err(failed)?;
        editor.set_helper(Some(Aid(vocabulary)));
        let history = history.and_then(|path| {
            let made = path.parent().map_or(Ok(()), fs::create_dir_all);
            match made.map_err(ReadlineError::Io).and_then(|()| load(&mut editor, path)) {
                Ok(()) => Some(path.to_owned()),
                Err(error) => {
                    tracing::warn!(%error, "the history is not kept in {}", path.display());
                    None
                }
            }
        });
        Ok(Terminal { editor, history })
    }
}

impl Reader for Terminal {
    fn next(&mut self) -> Result<Input, Failure> {
        match self.editor.readline(PROMPT) {
            Ok(statement) => {
                let is_new = self.editor.add_history_entry(statement.as_str()).unwrap_or_default();
                if let Some(path) = self.history.as_ref().filter(|_| is_new)
                    && let Err(error) = self.editor.append_history(path)
                {
                    tracing::warn!(%error, "the history is not kept in {}", path.display());
                    self.history = None;
                }
                Ok(Input::Statement(statement))
            }
            Err(ReadlineError::Interrupted) => Ok(Input::Dropped),
            Err(ReadlineError::Eof) => Ok(Input::End),
            Err(error) => Err(failed(error)),
        }
    }

    fn width(&mut self) -> Option<usize> {
        self.editor.dimensions().map(|(columns, _)| usize::from(columns))
    }
}

impl Helper for Aid {}
impl Highlighter for Aid {}

impl Hinter for Aid {
    type Hint = String;
}

impl Completer for Aid {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.0.borrow().completions(line.get(..position).unwrap_or(line)))
    }
}

impl Validator for Aid {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let is_remark = text.trim_start().starts_with('#');
        Ok(match is_remark || words::is_whole(text) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

fn load(editor: &mut Editor<Aid, FileHistory>, path: &Path) -> rustyline::Result<()> {
    if path.exists() { editor.load_history(path) } else { Ok(()) }
}

fn failed(error: ReadlineError) -> Failure {
    let source = match error {
        ReadlineError::Io(source) => source,
        other => std::io::Error::other(other.to_string()),
    };
    Failure::Read { path: "the terminal".into(), source }
}
