//! Documents with unknown members at every level, made from a seed.

/// A sequence of numbers that is the same for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }

    fn blank(&mut self) -> &'static str {
        self.pick(&["", "", " ", "\n  ", "\t"])
    }

    /// Any JSON: numbers that no float holds, odd escapes, duplicates, null.
    fn json(&mut self, depth: u32) -> String {
        let kinds = if depth == 0 { 6 } else { 8 };
        match self.below(kinds) {
            0 => self.pick(&["null", "true", "false"]).to_owned(),
            1 => self
                .pick(&[
                    "0",
                    "-0",
                    "1.10",
                    "1e5",
                    "-2.50E-3",
                    "9007199254740993",
                    "123456789012345678901234567890",
                ])
                .to_owned(),
            2 => self.pick(&["0.1000", "1E+2", "-1.0", "18446744073709551616"]).to_owned(),
            3 => self
                .pick(&[r#""""#, r#""plain""#, r#""\u00e9\ud83d\ude00""#, r#""a\/b""#, r#""é \" \\ \n""#])
                .to_owned(),
            4 => self.pick(&["[]", "{}", "[ ]", "{ }"]).to_owned(),
            5 => format!("{}", self.next()),
            6 => {
                let items: Vec<String> = (0..self.below(4)).map(|_| self.json(depth - 1)).collect();
                let blank = self.blank();
                format!("[{blank}{}{blank}]", items.join(&format!(",{blank}")))
            }
            _ => {
                let members: Vec<(String, String)> =
                    (0..self.below(4)).map(|_| self.unknown(depth - 1)).collect();
                self.object(members)
            }
        }
    }

    fn unknown(&mut self, depth: u32) -> (String, String) {
        let name = format!("x{}", self.below(1_000));
        (name, self.json(depth))
    }

    fn object(&mut self, members: Vec<(String, String)>) -> String {
        let (blank, colon) = (self.blank(), self.pick(&[":", ": ", " : "]));
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("\"{name}\"{colon}{value}")).collect();
        format!("{{{blank}{}{blank}}}", members.join(&format!(",{blank}")))
    }

    /// An object with what is known of it and something unknown before, between or after.
    fn part(&mut self, known: &[(&str, String)]) -> String {
        let mut members: Vec<(String, String)> =
            known.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        for _ in 0..self.below(3) {
            let at = self.below(members.len() as u64 + 1) as usize;
            let unknown = self.unknown(2);
            members.insert(at, unknown);
        }
        self.object(members)
    }

    fn text(&mut self) -> String {
        self.pick(&[
            r#""""#,
            r#""plain""#,
            r#""const a = \"\\u00e9\";\n\tdone({\"x\": 1.0});""#,
            r#""{\"deals\":{\"url\":\"\/x?where=a>='${gmtDate:yyyy}'\",\"n\":1.10}}""#,
            r#""\u003cb\u003e Ünï \ud83d\ude00""#,
        ])
        .to_owned()
    }

    fn list(&mut self, most: u64, mut item: impl FnMut(&mut Random, u64) -> String) -> String {
        let items: Vec<String> = (0..self.below(most + 1)).map(|at| item(self, at)).collect();
        let blank = self.blank();
        format!("[{blank}{}]", items.join(&format!(",{blank}")))
    }

    fn parameters(&mut self) -> String {
        self.list(3, |random, at| {
            random.part(&[
                ("name", format!("\"p{at}\"")),
                ("vendorName", "\"v\"".to_owned()),
                ("type", "\"query\"".to_owned()),
            ])
        })
    }

    fn hooks(&mut self) -> String {
        self.list(2, |random, _| {
            let body = random.text();
            random.part(&[("type", "\"preRequest\"".to_owned()), ("body", body)])
        })
    }

    /// A whole connector.
    pub fn element(&mut self, key: &str) -> String {
        let configuration = self.list(4, |random, at| {
            let default = random.text();
            random.part(&[
                ("key", format!("\"key.{at}\"")),
                ("type", "\"TEXTAREA\"".to_owned()),
                ("defaultValue", default),
            ])
        });
        let resources = self.list(3, |random, at| {
            let (parameters, hooks, unknown) = (random.parameters(), random.hooks(), random.unknown(3));
            let model = random.object(vec![unknown]);
            random.part(&[
                ("path", format!("\"/hubs/crm/r{at}\"")),
                ("method", "\"GET\"".to_owned()),
                ("parameters", parameters),
                ("hooks", hooks),
                ("model", model),
            ])
        });
        let (parameters, hooks, description) = (self.parameters(), self.hooks(), self.text());
        self.part(&[
            ("key", format!("\"{key}\"")),
            ("name", format!("\"Generated {key}\"")),
            ("description", description),
            ("authentication", "{\"type\":\"none\", \"more\":1.0}".to_owned()),
            ("configuration", configuration),
            ("parameters", parameters),
            ("hooks", hooks),
            ("resources", resources),
        ])
    }
}
