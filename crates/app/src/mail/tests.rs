use doorward_model::email::EmailAddress;
use doorward_model::id::DeliveryId;
use doorward_model::time::Timestamp;
use proptest::prelude::*;

use super::*;

const LINK: &str = "https://id.example.com/verify?token=dwo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn incident() -> Incident {
    Incident {
        at: Timestamp::from_ms(1_795_315_487_123),
        device: "Firefox, Linux".into(),
        address: Some("2001:db8::7".into()),
    }
}

fn letters() -> Vec<Letter> {
    let link = LINK.to_owned();
    let forgot_link = "https://id.example.com/forgot".to_owned();
    let sign_in_link = "https://id.example.com/login".to_owned();
    vec![
        Letter::Verification {
            code: "042917".into(),
            code_valid_seconds: 600,
            link: link.clone(),
            link_valid_seconds: 86_400,
        },
        Letter::AlreadyRegistered { sign_in_link, forgot_link: forgot_link.clone() },
        Letter::PasswordReset { link, valid_seconds: 1800 },
        Letter::PasswordChanged { incident: incident(), forgot_link: forgot_link.clone() },
        Letter::PasswordWasReset { incident: incident(), forgot_link: forgot_link.clone() },
        Letter::NewDevice { incident: incident(), forgot_link: forgot_link.clone() },
        Letter::TokenReused { incident: incident(), forgot_link: forgot_link.clone() },
        Letter::PasswordSwitchedOff { at: incident().at, forgot_link },
    ]
}

fn mail(letter: &Letter, language: Locale, name: Option<&str>) -> Mail {
    let address = MailAddress::parse("mara@example.com").unwrap();
    Mail::render(letter, &Recipient { address: &address, name, language, site: "Doorward" }).unwrap()
}

fn sender() -> Sender {
    Sender { name: HeaderLine::new("Doorward"), address: MailAddress::parse("door@id.example.com").unwrap() }
}

fn eml(mail: &Mail) -> String {
    let sender = sender();
    let id = MessageId::new(DeliveryId::from_uuid([7; 16]), &sender);
    mail.to_eml(&Envelope { id: &id, date: incident().at, from: &sender })
}

/// The header fields of a message, unfolded.
fn fields(eml: &str) -> Vec<(String, String)> {
    let (head, _) = eml.split_once("\r\n\r\n").unwrap();
    let unfolded = head.replace("\r\n ", " ");
    unfolded.split("\r\n").map(|line| line.split_once(": ").unwrap()).map(|(n, v)| (n.into(), v.into())).collect()
}

#[test]
fn every_mail_reads_as_agreed_in_every_language() {
    for language in Locale::ALL {
        for letter in letters() {
            let mail = mail(&letter, language, Some("Mara O’Brien"));
            assert!(!mail.text.contains('⟦') && !mail.html.contains('⟦'));
            let name = format!("{}_{}", letter.kind(), language.as_str());
            insta::assert_snapshot!(
                format!("{name}_text"),
                format!("Subject: {}\n\n{}", mail.subject.as_str(), mail.text)
            );
            insta::assert_snapshot!(format!("{name}_html"), mail.html);
        }
    }
}

#[test]
fn a_whole_message_reads_as_agreed() {
    let eml = eml(&mail(&letters()[0], Locale::German, None)).replace("\r\n", "\n");
    let (readable, html) = eml.split_once("base64\n\n").unwrap();
    assert!(html.ends_with("\n--=_doorward_0--\n"), "{html}");
    insta::assert_snapshot!(readable);
}

#[test]
fn a_text_that_holds_the_usual_boundary_gets_another() {
    let mut mail = mail(&letters()[0], Locale::English, None);
    mail.text.push_str("--=_doorward_0--\n");
    assert!(eml(&mail).contains("boundary=\"=_doorward_1\""));
}

#[test]
fn a_name_typed_at_sign_up_reaches_no_strange_mailbox() {
    let lure = "win at www.example.net";
    for letter in &letters()[..2] {
        let mail = mail(letter, Locale::English, Some(lure));
        assert!(!mail.text.contains(lure) && !mail.html.contains(lure));
    }
    assert!(mail(&letters()[2], Locale::English, Some("Mara")).text.starts_with("Hello Mara,"));
}

#[test]
fn the_link_stands_whole_on_a_line_of_its_own() {
    for language in Locale::ALL {
        let eml = eml(&mail(&letters()[0], language, Some("Jürgen")));
        assert_eq!(eml.lines().filter(|line| line.contains("http")).collect::<Vec<_>>(), [LINK]);
    }
}

#[test]
fn lines_are_as_short_as_mail_servers_ask() {
    for language in Locale::ALL {
        for letter in letters() {
            let eml = eml(&mail(&letter, language, Some("Mara")));
            let longest = eml.split("\r\n").map(str::len).max().unwrap();
            assert!(longest <= 100, "{longest}");
            assert!(!eml.replace("\r\n", "").contains(['\r', '\n']));
        }
    }
}

#[test]
fn subjects_and_debug_hold_no_secret() {
    for letter in letters() {
        let mail = mail(&letter, Locale::English, None);
        let shown = format!("{} {mail:?} {letter:?}", mail.subject.as_str());
        assert!(!shown.contains("042917") && !shown.contains("dwo_"), "{shown}");
    }
}

/// Proves: V1.2.1, V1.3.7, V1.3.11
#[test]
fn hostile_names_are_text_in_html() {
    for name in ["\"><svg/onload=alert(1)>", "</script><script>", "{{7*7}}", "<img src=x onerror=x>", "{$site}"] {
        let mail = mail(&letters()[3], Locale::English, Some(name));
        assert!(mail.text.contains(name), "{}", mail.text);
        assert!(!mail.html.contains("<svg") && !mail.html.contains("<script") && !mail.html.contains("<img"));
    }
}

/// Proves: A-63
#[test]
fn what_could_be_two_addresses_is_none() {
    for text in [
        "",
        "a",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a@x.io,b@x.io",
        "a@x.io>",
        "<a@x.io",
        "a b@x.io",
        "a@x.io\nBcc: v@y",
        "\"a\\r\\nX: y\"@x.io",
        "a@x.io (comment)",
        "a(comment)@x.io",
        "a@[127.0.0.1]",
        "a@x..io",
        ".a@x.io",
        "a@x.io.",
        "a;b@x.io",
        "a:b@x.io",
        "a@x.io\0",
        "a\u{2028}@x.io",
        "a\u{202e}@x.io",
        "a\u{85}b@x.io",
        "a@bü.de",
    ] {
        assert_eq!(MailAddress::parse(text), Err(InvalidMailAddress), "{text:?}");
    }
    for text in ["a@b", "o'brien+tag@x.io", "jürgen@xn--bcher-kva.example", "a.b-c_d@x-y.io"] {
        assert!(MailAddress::parse(text).is_ok(), "{text}");
    }
    assert_eq!(MailAddress::parse(&format!("{}@x.io", "a".repeat(250))), Err(InvalidMailAddress));
}

#[test]
fn a_stored_mail_reads_back_only_if_it_is_one() {
    let mail = mail(&letters()[0], Locale::English, None);
    let json = serde_json::to_string(&mail).unwrap();
    assert_eq!(serde_json::from_str::<Mail>(&json).unwrap(), mail);
    let forged = json.replace("mara@example.com", "mara@example.com\\r\\nBcc: v@y");
    assert!(serde_json::from_str::<Mail>(&forged).is_err());
}

proptest! {
    #[test]
    fn every_address_of_an_account_is_one_a_mail_goes_to(
        text in "(\\PC|[a-z.+']){1,12}@([a-z0-9äß-]{1,8}\\.){1,2}[a-z]{2,4}",
    ) {
        if let Ok(address) = EmailAddress::parse(&text) {
            prop_assert!(MailAddress::try_from(&address).is_ok(), "{text}");
        }
    }

    /// Proves: A-63, V1.3.11, S-45
    #[test]
    fn nothing_a_person_types_becomes_a_header(
        name in "(\\PC|[\r\n\t\u{85}\u{2028}\u{202e}:=?<>,]){0,80}",
        site in "(\\PC|[\r\n\u{85}\u{2029}\"<>=?]){0,120}",
        device in "(\\PC|[\r\nB:]){0,80}",
        local in "(\\PC|[\r\n,<>@]){1,30}",
    ) {
        let address = MailAddress::parse(&format!("{local}@example.com"))
            .unwrap_or_else(|_| MailAddress::parse("mara@example.com").unwrap());
        let letter = Letter::NewDevice {
            incident: Incident { device: device.clone(), address: Some(device), ..incident() },
            forgot_link: "https://id.example.com/forgot".into(),
        };
        let recipient = Recipient { address: &address, name: Some(&name), language: Locale::German, site: &site };
        let mail = Mail::render(&letter, &recipient).unwrap();
        let sender = Sender { name: HeaderLine::new(&site), address: sender().address };
        let id = MessageId::new(DeliveryId::from_uuid([7; 16]), &sender);
        let eml = mail.to_eml(&Envelope { id: &id, date: incident().at, from: &sender });
        let fields = fields(&eml);
        let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
        prop_assert_eq!(names, [
            "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language", "MIME-Version",
            "Content-Type",
        ]);
        prop_assert_eq!(&fields[1].1, address.as_str());
        prop_assert!(!eml.replace("\r\n", "").contains(['\r', '\n']));
        prop_assert_eq!(eml.matches("--=_doorward_").count(), 3);
        let (_, html) = eml.split_once("base64\r\n\r\n").unwrap();
        prop_assert!(html.is_ascii());
    }

    #[test]
    fn a_header_line_is_one_line(text in "(\\PC|[\r\n\0\u{7f}\u{85}\u{2028}]){0,400}") {
        let line = HeaderLine::new(&text);
        let is_one_line = line.as_str().chars().all(|c| !c.is_control() && c != '\u{2028}');
        prop_assert!(is_one_line);
        prop_assert!(line.as_str().chars().count() <= 200);
        prop_assert_eq!(HeaderLine::new(line.as_str()), line);
    }
}
