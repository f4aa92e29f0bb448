//! The committed IDL says what the interface is, and the golden events that other languages are held to are Rust's.

use std::{collections::BTreeMap, fs, path::Path};

use plimsoll_client::{
    PlimsollError,
    accounts::{
        AccountType, Adapter, Bank, Board, Exchange, House, Lien, MarginAccount, Market, Orders, Proposal, Ticket,
        Venue,
    },
    event::Event,
    interface::instruction::tag,
    words::{Names, sentence},
};
use serde_json::{Value, json};

fn idl() -> Value {
    let text = include_str!("../../../idl/plimsoll.json");
    serde_json::from_str(text).expect("the IDL is JSON")
}

fn list<'a>(idl: &'a Value, name: &str) -> &'a [Value] {
    idl[name].as_array().map_or(&[], Vec::as_slice)
}

fn bytes(value: &Value) -> Vec<u8> {
    value.as_array().into_iter().flatten().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect()
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

/// Bytes of a type by the IDL: no type of the program has padding.
fn size_of(idl: &Value, ty: &Value) -> usize {
    if let Some(primitive) = ty.as_str() {
        return match primitive {
            "u8" | "i8" | "bool" => 1,
            "u16" | "i16" => 2,
            "u32" | "i32" => 4,
            "u64" | "i64" => 8,
            "pubkey" => 32,
            other => panic!("the IDL has a {other}"),
        };
    }
    if let Some(array) = ty["array"].as_array() {
        let count = array[1].as_u64().expect("arrays have constant lengths");
        return size_of(idl, &array[0]) * usize::try_from(count).expect("short");
    }
    size_of_named(idl, ty["defined"]["name"].as_str().unwrap_or_else(|| panic!("the IDL has a {ty}")))
}

fn size_of_named(idl: &Value, wanted: &str) -> usize {
    let found = list(idl, "types").iter().find(|ty| name(ty) == wanted);
    let fields = &found.unwrap_or_else(|| panic!("the IDL does not define {wanted}"))["type"]["fields"];
    fields.as_array().into_iter().flatten().map(|field| size_of(idl, &field["type"])).sum()
}

#[test]
fn it_has_every_instruction_by_its_tag() {
    let idl = idl();
    let told: BTreeMap<Vec<u8>, &str> =
        list(&idl, "instructions").iter().map(|one| (bytes(&one["discriminator"]), name(one))).collect();
    let names: Vec<String> = tag::NAMES.iter().map(|name| name.to_lowercase()).collect();
    let wanted: BTreeMap<Vec<u8>, &str> =
        tag::ALL.iter().zip(&names).map(|(tag, name)| (vec![*tag], name.as_str())).collect();
    assert_eq!(told, wanted);
}

#[test]
fn it_has_every_error_with_its_message() {
    let idl = idl();
    let told: Vec<_> = list(&idl, "errors")
        .iter()
        .map(|error| (error["code"].as_u64(), name(error), error["msg"].as_str().unwrap_or_default()))
        .collect();
    let wanted: Vec<_> =
        PlimsollError::ALL.iter().map(|error| (Some(u64::from(error.code())), error.name(), error.message())).collect();
    assert_eq!(told, wanted);
}

#[test]
fn it_has_every_account_with_its_size() {
    fn of<T: AccountType>(name: &'static str) -> (&'static str, Vec<u8>, usize) {
        (name, T::DISCRIMINATOR.to_vec(), size_of::<T>())
    }
    use std::mem::size_of;
    let idl = idl();
    let mut told: Vec<_> = list(&idl, "accounts")
        .iter()
        .map(|account| (name(account), bytes(&account["discriminator"]), size_of_named(&idl, name(account))))
        .collect();
    told.sort();
    let wanted = [
        of::<Adapter>("Adapter"),
        of::<Bank>("Bank"),
        of::<Board>("Board"),
        of::<Exchange>("Exchange"),
        of::<House>("House"),
        of::<Lien>("Lien"),
        of::<MarginAccount>("MarginAccount"),
        of::<Market>("Market"),
        of::<Orders>("Orders"),
        of::<Proposal>("Proposal"),
        of::<Ticket>("Ticket"),
        of::<Venue>("Venue"),
    ];
    assert_eq!(told, wanted);
}

#[test]
fn everything_in_it_is_documented() {
    let idl = idl();
    let is_documented = |value: &Value| value["docs"].as_array().is_some_and(|lines| !lines.is_empty());
    let mut bare: Vec<String> = Vec::new();
    for one in list(&idl, "instructions") {
        let parts = one["accounts"].as_array().into_iter().flatten().chain([one]);
        bare.extend(parts.filter(|part| !is_documented(part)).map(|part| format!("{}.{}", name(one), name(part))));
    }
    for ty in list(&idl, "types") {
        let parts = ty["type"]["fields"].as_array().into_iter().flatten().chain([ty]);
        bare.extend(parts.filter(|part| !is_documented(part)).map(|part| format!("{}.{}", name(ty), name(part))));
    }
    assert_eq!(bare, Vec::<String>::new());
}

/// An event of every kind as the log has it, no two bytes of one alike, and how Rust shows it.
fn golden(idl: &Value) -> Vec<Value> {
    let one = |event: &Value| {
        let mut entry = bytes(&event["discriminator"]);
        entry.extend((1..=size_of_named(idl, name(event))).map(|at| (at * 7 % 251) as u8));
        let read = Event::read(&entry).unwrap_or_else(|| panic!("the client does not know {}", name(event)));
        assert_eq!(read.name(), name(event));
        let shown = format!("{read:?}");
        // Without the variant around the struct of the same name.
        let shown = shown.strip_prefix(name(event)).and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')'));
        let hex: String = entry.iter().map(|byte| format!("{byte:02x}")).collect();
        json!({ "name": name(event), "entry": hex, "shown": shown, "words": sentence(&read, &Names::default()) })
    };
    list(idl, "events").iter().map(one).collect()
}

#[test]
fn it_has_every_event_and_the_golden_ones_are_rusts() {
    let idl = idl();
    let declared = include_str!("../../interface/src/event.rs").matches("\nevent! {").count();
    assert_eq!(list(&idl, "events").len(), declared);
    let wanted = format!("{:#}\n", Value::Array(golden(&idl)));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../app/client/test/golden/events.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &wanted).expect("the golden file can be written");
    }
    let written = fs::read_to_string(&file).expect("app/client/test/golden/events.json");
    assert!(written == wanted, "the golden events are old: UPDATE_GOLDEN=1 cargo test -p plimsoll-wasm --test idl");
}
