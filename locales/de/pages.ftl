# Felder
field-email = E-Mail-Adresse
field-name = Name
field-password = Passwort
field-new-password = Neues Passwort
field-current-password = Aktuelles Passwort
field-code = 6-stelliger Code
optional = freiwillig
hint-new-password = Mindestens { $min } Zeichen. Einige zufällige Wörter eignen sich gut.
hint-name = Erscheint auf Ihrer Kontoseite und in E-Mails an Sie.
show-password = Anzeigen
show-password-label = Passwort anzeigen
hide-password = Verbergen
hide-password-label = Passwort verbergen
length-count = { $count } von mindestens { $min } Zeichen
length-enough = { $count } Zeichen, lang genug
copy = Kopieren
copied = Kopiert

# Fehlerübersicht und Hinweise
errors-heading = Etwas stimmt noch nicht
notice-success = Erledigt
notice-info = Hinweis
notice-warning = Wichtig

# Registrieren
signup-title = Konto erstellen
signup-lead = Ein Konto für alles, was { $site } verwendet.
signup-email-hint = Wir senden eine E-Mail dorthin, um zu bestätigen, dass die Adresse Ihnen gehört.
signup-submit = Konto erstellen
signup-other = Haben Sie schon ein Konto?
signup-other-link = Anmelden

# Adresse bestätigen, im Browser der Registrierung
verify-title = Adresse bestätigen
verify-lead = Wir haben eine E-Mail an { $email } gesendet. Geben Sie den 6-stelligen Code daraus hier ein, oder öffnen Sie den Link darin.
verify-lead-unknown = Wir haben Ihnen eine E-Mail gesendet. Geben Sie den 6-stelligen Code daraus hier ein, oder öffnen Sie den Link darin.
verify-submit = Bestätigen
verify-help = Nach einigen Minuten noch keine E-Mail?
verify-help-text = Sehen Sie im Spam-Ordner nach, und prüfen Sie die Schreibweise der Adresse. Wenn Sie schon ein Konto haben, steht in der E-Mail, wie Sie sich stattdessen anmelden.
verify-resend = Erneut senden
verify-restart = Andere Adresse verwenden

# Adresse bestätigen, durch die Person, die den Link geöffnet hat
verify-link-title = Passwort wählen
verify-link-lead = Ihre Adresse ist bestätigt, sobald Sie ein Passwort dafür speichern.
verify-link-why = Nur wer E-Mails an diese Adresse liest, kann das Passwort wählen. Ein anderswo dafür eingegebenes gilt nicht mehr.
verify-link-submit = Passwort speichern und bestätigen

# Anmelden
login-title = Anmelden
login-lead = Verwenden Sie Ihr { $site }-Konto.
login-remember = Auf diesem Gerät angemeldet bleiben
login-submit = Anmelden
login-forgot = Passwort vergessen?
login-other = Neu hier?
login-other-link = Konto erstellen

# Vergessenes Passwort
forgot-title = Passwort zurücksetzen
forgot-lead = Geben Sie die Adresse Ihres Kontos ein. Wir senden Ihnen einen Link, mit dem Sie ein neues Passwort wählen.
forgot-submit = Link senden
forgot-back = Zurück zur Anmeldung
forgot-sent-title = Sehen Sie in Ihr Postfach
forgot-sent-lead = Wenn es ein Konto für { $email } gibt, ist eine E-Mail mit einem Link unterwegs. Der Link gilt { $time }.
forgot-sent-help = Nach einigen Minuten noch keine E-Mail? Sehen Sie im Spam-Ordner nach, und prüfen Sie, ob dies die Adresse Ihres Kontos ist.
forgot-sent-again = Andere Adresse versuchen

reset-title = Neues Passwort wählen
reset-lead = Wenn Sie es speichern, werden alle Geräte abgemeldet, und Sie melden sich neu an.
reset-submit = Neues Passwort speichern

# Die erste Verwaltung
first-title = { $site } einrichten
first-lead = Sie haben den einmaligen Einrichtungslink geöffnet. Erstellen Sie das erste Administrationskonto; danach gilt der Link nicht mehr.
first-submit = Administrationskonto erstellen

authorize-error-title = Diese Anmeldung kann nicht weitergehen
authorize-error-text = Die Anwendung hat eine Anfrage gesendet, die wir nicht beantworten können. Gehen Sie zurück und versuchen Sie es noch einmal; geschieht es wieder, nennen Sie ihrem Betreiber, was unten steht.

# On the way to an application that nobody has looked at
leave-title = Weiter zu { $host }?
leave-text = Eine Anwendung hat um etwas gebeten, das hier nicht möglich ist. Sie hat sich selbst registriert: niemand bei { $site } hat geprüft, wohin sie führt. Gehen Sie nur weiter, wenn Sie sie kennen.
leave-submit = Weiter

form-post-title = Zurück zur Anwendung
form-post-text = Sie sind auf dem Weg zurück zur Anwendung.
form-post-submit = Weiter

# An application asks for access
consent-title = { $client } Zugriff auf Ihr Konto erlauben?
consent-lead = Sie sind bei { $site } als { $email } angemeldet.
consent-scopes = Die Anwendung kann dann
consent-services = In Ihrem Namen nutzt sie
consent-destination = Danach geht es zurück zu { $host }.
consent-self-registered = Diese Anwendung hat sich selbst registriert: niemand bei { $site } hat geprüft, wer dahinter steht.
consent-revocable = Sie können das in Ihrem Konto unter „Anwendungen“ zurücknehmen.
consent-allow = Erlauben
consent-deny = Nicht erlauben
consent-home = Startseite
consent-policy = Datenschutz
consent-terms = Bedingungen
scope-openid = Sie wiedererkennen: sie erfährt eine gleichbleibende Kennung von Ihnen und wann und wie Sie sich angemeldet haben
scope-profile = Ihren Namen und Ihre Sprache sehen
scope-email = Ihre E-Mail-Adresse sehen
scope-offline-access = damit fortfahren, während Sie nicht angemeldet sind, bis Sie es zurücknehmen
scope-other = ihre eigene Berechtigung { $scope } nutzen

# An application wants the person to choose an account
choose-account-title = Konto wählen
choose-account-lead = Sie sind bei { $site } angemeldet als
choose-account-continue = Mit diesem Konto fortfahren
choose-account-other = Anderes Konto verwenden

# An application wants the person to sign out
confirm-logout-title = Bei { $site } abmelden?
confirm-logout-client = { $client } bittet darum.
confirm-logout-text = Danach müssen Sie sich hier neu anmelden. Anwendungen, bei denen Sie sich angemeldet haben, können Sie noch eine Weile angemeldet lassen.
confirm-logout-stay = Angemeldet bleiben

# A device without a browser
device-title = Gerät verbinden
device-lead = Geben Sie den Code ein, den Ihr Gerät zeigt.
device-code = Code
device-confirm-title = { $client } auf Ihrem Gerät Zugriff auf Ihr Konto erlauben?
device-compare = Ihr Gerät muss diesen Code zeigen
device-from = Das Gerät ist bei { $address }.
device-warning = Wenn Ihnen jemand diesen Code geschickt hat, erlauben Sie es nicht: er käme in Ihr Konto.
