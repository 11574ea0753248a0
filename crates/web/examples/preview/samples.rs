//! Every page with made-up content: for looking at, and for the tests that read every page.

use askama::Template;
use doorward_model::password::Feedback;
use doorward_model::time::{HOUR_MS, Timestamp};
use doorward_web::pages::views::{
    Account, AccountAppearance, AccountApplications, AccountPassword, AccountProfile, AccountSessions, ApplicationRow,
    AuthorizeError, ChooseAccount, ConfirmDevice, ConfirmLogout, Consent, DeviceCode, Failure, FailureKind, Field,
    FirstAdministrator, Forgot, ForgotSent, FormPost, Leave, Login, Message, MessageKind, Notice, Page, Problem, Reset,
    SessionRow, SignedOut, Signup, Verify, VerifyLink,
};

/// Where an application is called back.
pub(crate) const CALLBACK: &str = "https://shop.example.com/callback";
/// Where it hears that its request failed.
pub(crate) const FAILED: &str = "https://shop.example.com/callback?error=invalid_scope";
/// What an application hears of the end of a session with.
pub(crate) const FRAME: &str = "https://shop.example.com/out";
/// The pages an application links to.
pub(crate) const OWN_PAGES: [(&str, &str); 3] = [
    ("consent-home", "https://shop.example.com/"),
    ("consent-policy", "https://shop.example.com/privacy"),
    ("consent-terms", "https://shop.example.com/terms"),
];

/// What people could have typed, or sent along.
pub(crate) struct Typed {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) code: String,
    pub(crate) flow: String,
    pub(crate) device: String,
    pub(crate) address: String,
    pub(crate) request_id: String,
}

impl Typed {
    /// As most people do.
    pub(crate) fn ordinary() -> Self {
        Self {
            email: "mara.lindqvist@example.com".into(),
            name: "Mara Lindqvist".into(),
            code: String::new(),
            flow: "dwo_3Jx0Yw".into(),
            device: "Firefox, Linux".into(),
            address: "203.0.113.24".into(),
            request_id: "req_01h455vb4pex5vsknk084sn02q".into(),
        }
    }
}

/// Name and HTML of every page in each of its states.
pub(crate) fn pages(page: &Page, typed: &Typed) -> askama::Result<Vec<(String, String)>> {
    let mut pages = Vec::new();
    sign_up(page, typed, &mut pages)?;
    sign_in(page, typed, &mut pages)?;
    account(page, typed, &mut pages)?;
    for kind in MessageKind::ALL {
        let message = Message { page: page.clone(), kind };
        pages.push((format!("message-{kind:?}").to_lowercase(), message.render()?));
    }
    let description = "redirect_uri is not registered for this client";
    let error = AuthorizeError { page: page.clone(), description, request_id: typed.request_id.clone() };
    pages.push(("authorize-failed".to_owned(), error.render()?));
    let fields = vec![("code", "dwac_example".to_owned()), ("state", typed.name.clone())];
    let form_post = FormPost { page: page.clone(), action: CALLBACK.to_owned(), fields };
    pages.push(("form-post".to_owned(), form_post.render()?));
    let (destination, to) = ("shop.example.com".to_owned(), FAILED.to_owned());
    let leave = Leave { page: page.clone(), destination, to, fields: Vec::new() };
    add(&mut pages, "leave", &leave)?;
    let fields = vec![("error", "invalid_scope".to_owned())];
    add(&mut pages, "leave-post", &Leave { to: CALLBACK.to_owned(), fields, ..leave })?;
    consent(page, typed, &mut pages)?;
    device(page, typed, &mut pages)?;
    let signed_out = SignedOut { page: page.clone(), frames: vec![FRAME.to_owned()], next: "/login".to_owned() };
    pages.push(("signed-out".to_owned(), signed_out.render()?));
    for kind in FailureKind::EXAMPLES {
        let retry_path = matches!(kind, FailureKind::FormExpired).then(|| format!("/signup?{}", typed.flow));
        let failure = Failure { page: page.clone(), kind, retry_path, request_id: typed.request_id.clone() };
        let name = format!("{kind:?}");
        let name = name.split(' ').next().unwrap_or_default().to_lowercase();
        pages.push((format!("failure-{name}"), failure.render()?));
    }
    Ok(pages)
}

fn consent(page: &Page, typed: &Typed, pages: &mut Pages) -> askama::Result<()> {
    let choose = ChooseAccount {
        page: Page { flow: typed.flow.clone(), ..page.clone() },
        email: typed.email.clone(),
        seen: typed.code.clone(),
    };
    add(pages, "choose-account", &choose)?;
    let logout = ConfirmLogout { page: choose.page.clone(), application: Some(typed.name.clone()) };
    add(pages, "confirm-logout", &logout)?;
    add(pages, "confirm-logout-unknown", &ConfirmLogout { application: None, ..logout })?;
    let small = Consent {
        page: Page { flow: typed.flow.clone(), ..page.clone() },
        application: typed.name.clone(),
        email: typed.email.clone(),
        scopes: vec!["openid".into()],
        services: Vec::new(),
        destination: typed.address.clone(),
        is_self_registered: false,
        links: Vec::new(),
    };
    add(pages, "consent", &small)?;
    let words = ["openid", "profile", "email", "offline_access", "orders:read"];
    let large = Consent {
        scopes: words.into_iter().map(str::to_owned).chain([typed.code.clone()]).collect(),
        services: vec![typed.device.clone()],
        is_self_registered: true,
        links: OWN_PAGES.into_iter().map(|(label, uri)| (label, uri.to_owned())).collect(),
        ..small
    };
    add(pages, "consent-much", &large)
}

fn device(page: &Page, typed: &Typed, pages: &mut Pages) -> askama::Result<()> {
    let page = Page { flow: typed.flow.clone(), ..page.clone() };
    let ask = DeviceCode { page: page.clone(), code: Field::default() };
    add(pages, "device", &ask)?;
    let wrong = Field::refused(&typed.device, Problem::DeviceCodeWrong);
    add(pages, "device-refused", &DeviceCode { code: wrong, ..ask })?;
    let confirm = ConfirmDevice {
        page,
        application: typed.name.clone(),
        email: typed.email.clone(),
        scopes: vec!["openid".into(), "email".into(), typed.code.clone()],
        services: vec![typed.device.clone()],
        code: "BCDF-GHJK".into(),
        address: Some(typed.address.clone()),
    };
    add(pages, "device-confirm", &confirm)?;
    let unknown = ConfirmDevice { services: Vec::new(), address: None, ..confirm };
    add(pages, "device-confirm-unknown", &unknown)
}

const fn weak(feedback: Feedback) -> Problem {
    Problem::PasswordRefused { feedback, min: 15 }
}

type Pages = Vec<(String, String)>;

fn add(pages: &mut Pages, name: &str, view: &impl Template) -> askama::Result<()> {
    pages.push((name.to_owned(), view.render()?));
    Ok(())
}

fn sign_up(page: &Page, typed: &Typed, pages: &mut Pages) -> askama::Result<()> {
    let page = || Page { flow: typed.flow.clone(), ..page.clone() };
    let signup = Signup {
        page: page(),
        email: Field::default(),
        name: Field::default(),
        password_problem: None,
        refusal: None,
        min_length: 15,
    };
    add(pages, "signup", &signup)?;
    let corrected = Signup {
        email: Field::refused(&typed.email, Problem::EmailInvalid),
        name: Field::refused(&typed.name, Problem::NameTooLong { max: 100 }),
        password_problem: Some(weak(Feedback::Lengthen)),
        ..signup
    };
    add(pages, "signup-error", &corrected)?;
    let verify = Verify {
        page: page(),
        email: Some(typed.email.clone()),
        code: Field::default(),
        notice: Some(Notice::MailSentAgain),
    };
    add(pages, "verify", &verify)?;
    let code = Field::refused(&typed.code, Problem::CodeWrong);
    add(pages, "verify-error", &Verify { email: None, code, notice: None, ..verify })?;
    let link = VerifyLink { page: page(), email: typed.email.clone(), password_problem: None, min_length: 15 };
    add(pages, "verify-link", &link)?;
    add(pages, "verify-link-error", &VerifyLink { password_problem: Some(weak(Feedback::Context)), ..link })?;
    let setup = FirstAdministrator {
        page: page(),
        email: Field::filled(&typed.email),
        name: Field::filled(&typed.name),
        password_problem: None,
        min_length: 15,
    };
    add(pages, "setup", &setup)?;
    let password_problem = Some(weak(Feedback::Pattern));
    add(pages, "setup-error", &FirstAdministrator { email: Field::default(), password_problem, ..setup })
}

fn sign_in(page: &Page, typed: &Typed, pages: &mut Pages) -> askama::Result<()> {
    let page = || Page { flow: typed.flow.clone(), ..page.clone() };
    let login = Login {
        page: page(),
        email: Field::default(),
        password_problem: None,
        remember: false,
        refusal: None,
        notice: None,
    };
    add(pages, "login", &login)?;
    for notice in Notice::ALL {
        let login = Login { notice: Some(*notice), ..login.clone() };
        add(pages, &format!("login-{}", notice.slug()), &login)?;
    }
    let refused =
        Login { email: Field::filled(&typed.email), remember: true, refusal: Some(Problem::Credentials), ..login };
    add(pages, "login-refused", &refused)?;
    add(pages, "login-throttled", &Login { refusal: Some(Problem::Throttled { wait_seconds: 40 }), ..refused })?;
    let forgot = Forgot { page: page(), email: Field::filled(&typed.email), refusal: None };
    add(pages, "forgot", &forgot)?;
    let email = Field::refused(&typed.email, Problem::EmailInvalid);
    add(pages, "forgot-error", &Forgot { email, ..forgot })?;
    let sent = ForgotSent { page: page(), email: typed.email.clone(), valid_seconds: 1800 };
    add(pages, "forgot-sent", &sent)?;
    let reset = Reset { page: page(), email: typed.email.clone(), password_problem: None, min_length: 15 };
    add(pages, "reset", &reset)?;
    add(pages, "reset-error", &Reset { password_problem: Some(weak(Feedback::Common)), ..reset })
}

fn account(page: &Page, typed: &Typed, pages: &mut Pages) -> askama::Result<()> {
    let created_at = Timestamp::from_ms(1_795_315_487_123);
    let account = || Account { email: typed.email.clone(), created_at };
    let page = || page.clone();
    let profile = AccountProfile {
        page: page(),
        account: account(),
        name: Field::filled(&typed.name),
        locale: page().locale(),
        notice: Some(Notice::ProfileSaved),
    };
    add(pages, "account", &profile)?;
    let name = Field::refused(&typed.name, Problem::NameInvalid);
    add(pages, "account-error", &AccountProfile { name, notice: None, ..profile })?;
    let password = AccountPassword {
        page: page(),
        account: account(),
        current_problem: None,
        new_problem: None,
        min_length: 15,
        notice: None,
    };
    add(pages, "account-password", &password)?;
    let corrected = AccountPassword {
        current_problem: Some(Problem::CurrentPasswordWrong),
        new_problem: Some(weak(Feedback::Repeat)),
        ..password
    };
    add(pages, "account-password-error", &corrected)?;
    let session = |device: &str, hours: i64, is_current| SessionRow {
        id: typed.flow.clone(),
        device: device.to_owned(),
        address: (hours < 30).then(|| typed.address.clone()),
        last_seen_at: created_at.plus_ms(-hours * HOUR_MS),
        created_at: created_at.plus_ms(-3 * hours * HOUR_MS),
        is_current,
    };
    let sessions = AccountSessions {
        page: page(),
        account: account(),
        now: created_at.plus_ms(20_000),
        sessions: vec![
            session(&typed.device, 0, true),
            session("Safari, iPhone", 26, false),
            session("Unknown browser, Windows", 31, false),
        ],
        notice: None,
    };
    add(pages, "account-sessions", &sessions)?;
    let alone = AccountSessions {
        sessions: sessions.sessions[..1].to_vec(),
        notice: Some(Notice::OthersSignedOut),
        ..sessions
    };
    add(pages, "account-sessions-alone", &alone)?;
    applications(&page(), &account(), typed, pages)?;
    add(pages, "account-appearance", &AccountAppearance { page: page(), account: account(), notice: None })
}

fn applications(page: &Page, account: &Account, typed: &Typed, pages: &mut Pages) -> askama::Result<()> {
    let now = account.created_at.plus_ms(40 * HOUR_MS);
    let application = |name: &str, words: &[&str], granted: bool| ApplicationRow {
        id: typed.flow.clone(),
        name: name.to_owned(),
        scopes: words.iter().map(|word| (*word).to_owned()).collect(),
        services: vec![typed.device.clone()],
        granted_at: granted.then_some(account.created_at),
        last_used_at: now.plus_ms(-HOUR_MS),
    };
    let all = AccountApplications {
        page: page.clone(),
        account: account.clone(),
        now,
        applications: vec![
            application(&typed.name, &["openid", "email", &typed.code], true),
            application("Board", &["openid"], false),
        ],
        next: Some("client_01h455vb4pex5vsknk084sn02q".into()),
        notice: Some(Notice::ApplicationRevoked),
    };
    add(pages, "account-applications", &all)?;
    let none = AccountApplications { applications: Vec::new(), next: None, notice: None, ..all };
    add(pages, "account-applications-none", &none)
}
