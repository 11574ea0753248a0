// What a person does on the pages, finding everything by the words they read.

/** A person in front of one page. */
export class Visitor {
  constructor(page) {
    this.page = page;
  }

  field(label) {
    return this.page.getByLabel(label, { exact: true });
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  heading(name) {
    return this.page.getByRole("heading", { level: 1, name });
  }

  async open(path) {
    return this.page.goto(path);
  }

  async signUp({ email, password }) {
    await this.open("/signup");
    await this.field("E-mail address").fill(email);
    await this.field("Password").fill(password);
    await this.button("Create account").click();
    await this.heading("Confirm your address").waitFor();
  }

  async confirmByCode(code) {
    await this.field("6-digit code").fill(code);
    await this.button("Confirm").click();
  }

  async enterCredentials({ email, password }) {
    await this.open("/login");
    await this.field("E-mail address").fill(email);
    await this.field("Password").fill(password);
    await this.button("Sign in").click();
  }

  async signIn(account) {
    await this.enterCredentials(account);
    await this.page.waitForURL("**/account");
  }

  async signOut() {
    await this.open("/account");
    await this.button("Sign out").first().click();
  }

  async askForReset(email) {
    await this.open("/forgot");
    await this.field("E-mail address").fill(email);
    await this.button("Send the link").click();
  }

  /** Whether this browser is signed in, asked without JavaScript of the page. */
  async isSignedIn() {
    const response = await this.page.context().request.get("/api/v1/me");
    return response.status() === 200;
  }
}
