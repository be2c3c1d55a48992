//! As much of a terminal as a test needs: what a person would see, without an end above or below.

/// Rows of text, and the place at which the next character goes.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// What has come of a sequence that is not whole yet.
    sequence: Option<String>,
    /// Bytes of a character that is not whole yet.
    bytes: Vec<u8>,
}

impl Screen {
    /// Takes what a program wrote.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.bytes.split_off(whole);
        let text = String::from_utf8(std::mem::replace(&mut self.bytes, rest)).unwrap();
        text.chars().for_each(|char| self.take(char));
    }

    /// The rows, without the spaces at their ends.
    pub(crate) fn rows(&self) -> Vec<String> {
        let text = |row: &Vec<char>| row.iter().collect::<String>().trim_end().to_owned();
        self.rows.iter().map(text).collect()
    }

    fn take(&mut self, char: char) {
        if let Some(mut sequence) = self.sequence.take() {
            sequence.push(char);
            match sequence.len() {
                1 if char == '[' => self.sequence = Some(sequence),
                1 => {}
                _ if char.is_ascii_alphabetic() => self.obey(&sequence),
                _ => self.sequence = Some(sequence),
            }
            return;
        }
        match char {
            '\u{1b}' => self.sequence = Some(String::new()),
            '\r' => self.column = 0,
            '\n' => self.row += 1,
            '\u{8}' => self.column = self.column.saturating_sub(1),
            char if char.is_control() => {}
            char => {
                let column = self.column;
                let row = self.current();
                row.resize(row.len().max(column + 1), ' ');
                row[column] = char;
                self.column += 1;
            }
        }
    }

    fn obey(&mut self, sequence: &str) {
        let number = sequence.trim_matches(|char: char| !char.is_ascii_digit());
        let number = number.parse::<usize>().unwrap_or_default();
        let steps = number.max(1);
        let column = self.column;
        match sequence.chars().last().unwrap() {
            'A' => self.row = self.row.saturating_sub(steps),
            'B' => self.row += steps,
            'C' => self.column += steps,
            'D' => self.column = column.saturating_sub(steps),
            'K' if number == 2 => self.current().clear(),
            'K' => self.current().truncate(column),
            'J' => {
                self.current().truncate(column);
                let below = self.row + 1;
                self.rows.truncate(below);
            }
            // Colours, modes.
            _ => {}
        }
    }

    fn current(&mut self) -> &mut Vec<char> {
        let rows = self.rows.len().max(self.row + 1);
        self.rows.resize(rows, Vec::new());
        &mut self.rows[self.row]
    }
}

#[test]
fn a_screen_shows_what_is_left_in_the_end() {
    let mut screen = Screen::default();
    screen.write(b"one\r\ntwo\x1b[1A\rO\x1b[1B\r\x1b[2Kzw\x1b[2C\xc3");
    screen.write(b"\xb6\x1b[?2004h\x1b[31m!\r\nthree\r\nfour\x1b[2A\r\x1b[4C\x1b[J");
    assert_eq!(screen.rows(), ["One", "zw"]);
    screen.write("  ö".as_bytes());
    assert_eq!(screen.rows()[1], "zw    ö");
}
