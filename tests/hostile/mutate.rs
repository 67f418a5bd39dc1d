//! Mutations of reports: the same for the same seed, whatever the machine.

/// A stream of numbers (`SplitMix64`).
pub(crate) struct Random(u64);

impl Random {
    /// A stream that belongs to a name; only its last part, so that it is the same in every checkout.
    pub(crate) fn new(name: &str) -> Self {
        let own = name.rsplit(['/', '\\']).next().unwrap_or(name);
        Self(
            own.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)),
        )
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`; 0 where there is nothing below.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 1).unwrap_or(0).checked_rem(end).unwrap_or(0)
    }

    fn range(&mut self, end: usize) -> std::ops::Range<usize> {
        let (a, b) = (self.below(end + 1), self.below(end + 1));
        a.min(b)..a.max(b)
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "00",
    "1e999",
    "-1e308",
    "1e308",
    "0.5",
    "NaN",
    "inf",
    "-inf",
    "-0",
    "4294967295",
    "4294967296",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "1,234.5",
    "\u{663}",
    "",
];

const TOKENS: &[&str] = &[
    "\0",
    "\u{1b}[31m",
    "\u{202e}",
    "\u{feff}",
    "\r",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\"",
    "'",
    "\\",
    "\\ud800",
    "&#0;",
    "&#xD800;",
    "&xxe;",
    "&amp",
    "<",
    "</",
    "/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?xml?>",
    "<!DOCTYPE a [<!ENTITY xxe SYSTEM \"file:///etc/passwd\">]>",
    "<failure/>",
    "<skipped/>",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "end_of_record\n",
    "SF:\n",
    "1..3\n",
    "    ",
    "# SKIP",
    "# TODO",
    "mode: set\n",
    "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
];

/// A changed report; a second one lends parts.
pub(crate) fn mutant(random: &mut Random, seed: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(11) {
            0 => flip(random, &mut bytes),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(random.range_of(&bytes))),
            3 => {
                let part = bytes[random.range_of(&bytes)].to_vec();
                bytes.splice(at..at, part);
            }
            4 => {
                let part = &other[random.range(other.len())];
                bytes.splice(at..at, part.iter().copied());
            }
            5 => {
                bytes.truncate(at);
                bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
            }
            6 | 7 => number(random, &mut bytes),
            8 => {
                let token = random.one_of(TOKENS);
                bytes.splice(at..at, token.bytes());
            }
            9 => lines(random, &mut bytes),
            _ => {
                let token = random.one_of(TOKENS).repeat(1 + random.below(300));
                bytes.splice(at..at, token.into_bytes());
            }
        }
        bytes.truncate(40_000);
    }
    bytes
}

impl Random {
    /// A range of at most a few hundred bytes.
    fn range_of(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(bytes.len() + 1);
        let length = self.below(300.min(bytes.len() - start) + 1);
        start..start + length
    }
}

fn flip(random: &mut Random, bytes: &mut [u8]) {
    let at = random.below(bytes.len());
    let bit = 1 << random.below(8);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= bit;
    }
}

/// Replaces a number by another, or by what should have been one.
fn number(random: &mut Random, bytes: &mut Vec<u8>) {
    let from = random.below(bytes.len());
    let Some(start) = bytes.iter().skip(from).position(u8::is_ascii_digit).map(|at| at + from) else { return };
    let end = bytes[start..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |end| start + end);
    let number = random.one_of(NUMBERS);
    bytes.splice(start..end, number.bytes());
}

/// Two lines change places, or one is there twice.
fn lines(random: &mut Random, bytes: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (a, b) = (random.below(lines.len()), random.below(lines.len()));
    if a < lines.len() && b < lines.len() {
        if random.below(2) == 0 {
            lines.swap(a, b);
        } else {
            lines.insert(a, lines[b].clone());
        }
    }
    *bytes = lines.concat();
}

/// What no tool writes: deep, long, empty, endless.
pub(crate) fn shapes() -> Vec<(&'static str, Vec<u8>)> {
    let mut shapes: Vec<(&'static str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("blanks", b" \n\r\n\t".repeat(50)),
        ("zeros", vec![0; 2_000]),
        ("bytes that are no text", (0..=255).cycle().take(3_000).collect()),
        ("a broken gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03ab".to_vec()),
        ("half of UTF-16", b"\xff\xfe<\0a".to_vec()),
        ("one long word", vec![b'a'; 30_000]),
    ];
    for (name, open) in [
        ("deep elements", "<testsuite name='a'>"),
        ("deep lists", "["),
        ("deep objects", "{\"a\":"),
        ("deep YAML", "- "),
        ("quotes", "\""),
        ("open brackets", "<"),
        ("long attributes", "<testsuites a='"),
        ("many roots", "<coverage><class filename='a'><lines><line number='1' hits='1'/></lines></class></coverage>"),
        ("many lines", "DA:1,1\n"),
    ] {
        shapes.push((name, open.repeat(1_000).into_bytes()));
    }
    let wide = (0..60).map(|at| format!("{}- a{at}\n", "  ".repeat(at))).collect::<String>();
    shapes.push(("steps to the right", wide.into_bytes()));
    let laugh =
        "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n";
    shapes.push(("a billion laughs in YAML", laugh.into()));
    let entities = "<!DOCTYPE t [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><testsuite><testcase name='&b;'>&b;</testcase></testsuite>";
    shapes.push(("entities of the document's own", entities.into()));
    shapes
}
