//! The cost of matching: pages under rules without transforms. The benchmark `tokenizer` measures reading alone.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to stop")]

mod support;

use std::hint::black_box;

use criterion::Throughput;

use support::connector::Connector;
use support::pages;

/// `SHAPE` stands for the lines about a message.
const RULES: &str = "
version: 1
connector: matcher
title: Matcher
purpose: To be measured.
permissions: [Mail.Read]
shapes:
  message:
SHAPE
endpoints:
  - name: list-messages
    get: /{api}/users/{user}/messages
    params: { api: { one_of: [v1.0] }, user: { token: id } }
    query: { $top: { integer: { min: 1, max: 1000 } }, $skip: { integer: { min: 0, max: 1000 } } }
    response: { collection: message }
";

const SHAPES: [(&str, &str); 3] = [
    ("one property of a message kept", "    keep: { booleans: [$.isRead] }"),
    (
        "metadata kept as it is",
        "    keep:
      text:
        - $['id','parentFolderId','conversationId','receivedDateTime','sentDateTime','importance','isRead','isDraft']
        - $.hasAttachments
        - $.flag.flagStatus
        - { path: $.from.emailAddress.address, reviewed: true }
        - { path: \"$['toRecipients','ccRecipients'][*].emailAddress.address\", reviewed: true }",
    ),
    ("everything kept", "    unlisted: keep\n    keep: { text: [$.id] }"),
];

fn main() {
    let pages = pages::make("");
    let mut criterion = support::criterion();
    for (name, shape) in SHAPES {
        let connector = Connector::with_rules(&RULES.replace("SHAPE", shape));
        let mut group = criterion.benchmark_group(format!("matcher, {name}"));
        for page in &pages {
            group.throughput(Throughput::Bytes(page.bytes().len().try_into().unwrap()));
            group.bench_function(page.name, |bencher| {
                bencher.iter(|| connector.stream(black_box(page.bytes()), |piece| drop(black_box(piece))));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
