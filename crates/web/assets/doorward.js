// What makes the pages more comfortable. Every page works without this file.

/** A button inside each password field that shows and hides what was typed. */
function addShowButtons() {
  for (const box of document.querySelectorAll(".secret")) {
    const input = box.querySelector("input");
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-controls", input.id);
    const present = (shown) => {
      input.type = shown ? "text" : "password";
      button.textContent = shown ? box.dataset.hide : box.dataset.show;
      button.setAttribute("aria-label", shown ? box.dataset.hideLabel : box.dataset.showLabel);
    };
    button.addEventListener("click", () => present(input.type === "password"));
    // Sent as a password again, so that the browser offers to save it as one.
    input.form?.addEventListener("submit", () => present(false));
    present(false);
    box.append(button);
  }
}

/** How many characters a new password has. Whether it is a good one is said after the form is sent. */
function addLengthHints() {
  for (const hint of document.querySelectorAll("[data-count-for]")) {
    const input = document.getElementById(hint.dataset.countFor);
    const least = Number(hint.dataset.min);
    const say = () => {
      const count = [...input.value.normalize("NFC")].length;
      const text = count >= least ? hint.dataset.enough : hint.dataset.below;
      hint.textContent = count === 0 ? "" : text.replace("%", String(count));
    };
    input.addEventListener("input", say);
    say();
  }
}

/** Codes are often pasted with spaces, hyphens or a word around them. */
function tidyCodes() {
  for (const input of document.querySelectorAll('input[autocomplete="one-time-code"]')) {
    input.addEventListener("input", () => {
      const digits = input.value.normalize("NFKC").replace(/\D/gu, "").slice(0, 6);
      if (digits !== input.value) input.value = digits;
    });
  }
}

/** A form that only carries an answer onwards: its button is for those who see this page at all. */
function sendAtOnce() {
  document.querySelector("form[data-send-at-once]")?.submit();
}

/** Exact times in this device's time zone, in the language of the page as its region writes it; UTC stays in the tooltip. */
function localizeTimes() {
  const language = document.documentElement.lang;
  const region = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;
  const format = new Intl.DateTimeFormat(region, { dateStyle: "long", timeStyle: "short" });
  for (const time of document.querySelectorAll("time.exact")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = time.textContent;
    time.textContent = format.format(at);
  }
}

/** Buttons that copy a text of the page. */
function addCopyButtons() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) {
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = button.dataset.copied;
      setTimeout(() => {
        button.textContent = label;
      }, 2000);
    });
  }
}

addShowButtons();
addLengthHints();
tidyCodes();
localizeTimes();
addCopyButtons();
sendAtOnce();
document.getElementById("problems")?.focus();
