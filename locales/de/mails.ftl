# Teile jeder E-Mail
mail-greeting = Guten Tag { $name },
mail-greeting-nameless = Guten Tag,
mail-link-hint = Wenn der Knopf nicht funktioniert, öffnen Sie diese Adresse:
mail-footer = { $site } hat diese E-Mail aus dem oben beschriebenen Grund an { $email } gesendet. Sie betrifft Ihr Konto und lässt sich nicht abbestellen.
mail-fact-when = Wann
mail-fact-device = Gerät
mail-fact-place = Adresse
mail-not-you-heading = Waren Sie das nicht?

mail-verification-subject = Bestätigen Sie Ihre E-Mail-Adresse
mail-verification-title = Bestätigen Sie Ihre E-Mail-Adresse
mail-verification-text = Jemand, hoffentlich Sie, erstellt bei { $site } ein Konto mit dieser Adresse. Geben Sie diesen Code dort ein, wo Sie sich registriert haben:
mail-verification-link-text = Auf einem anderen Gerät, oder wenn die Seite geschlossen ist, öffnen Sie den Link und wählen dort Ihr Passwort.
mail-verification-button = Bestätigen und Passwort wählen
mail-verification-code-expiry = Der Code gilt { $time }.
mail-verification-link-expiry = Der Link gilt { $time }.
mail-verification-not-you = Beachten Sie diese E-Mail nicht weiter. Ohne Code oder Link entsteht kein Konto. Verraten Sie den Code niemandem.

mail-known-subject = Sie haben schon ein Konto bei { $site }
mail-known-title = Sie haben schon ein Konto
mail-known-text = Jemand, wahrscheinlich Sie, wollte sich bei { $site } mit dieser Adresse registrieren. Dafür gibt es schon ein Konto, daher wurde nichts angelegt. Melden Sie sich stattdessen an.
mail-known-button = Anmelden
mail-known-reset-text = Wenn Sie Ihr Passwort nicht mehr wissen, wählen Sie hier ein neues:
mail-known-not-you = Sie müssen nichts tun. Niemand hat Zugang erhalten, und die Person, die es versucht hat, hat nicht erfahren, dass Sie ein Konto haben.

mail-reset-subject = Wählen Sie ein neues Passwort
mail-reset-title = Wählen Sie ein neues Passwort
mail-reset-text = Jemand, hoffentlich Sie, hat für Ihr Konto bei { $site } ein neues Passwort angefordert. Der Link öffnet eine Seite, auf der Sie es wählen.
mail-reset-button = Neues Passwort wählen
mail-reset-expiry = Der Link gilt einmal, { $time } lang.
mail-reset-not-you = Beachten Sie diese E-Mail nicht weiter. Ihr Passwort bleibt unverändert, solange niemand den Link verwendet.

mail-password-changed-subject = Ihr Passwort wurde geändert
mail-password-changed-title = Ihr Passwort wurde geändert
mail-password-changed-text = Das Passwort Ihres Kontos bei { $site } wurde auf der Kontoseite geändert. Alle anderen Geräte wurden abgemeldet.
mail-password-reset-done-subject = Ihr Passwort wurde zurückgesetzt
mail-password-reset-done-title = Ihr Passwort wurde zurückgesetzt
mail-password-reset-done-text = Mit einem Link aus einer E-Mail an Sie wurde für Ihr Konto bei { $site } ein neues Passwort gewählt. Alle Geräte wurden abgemeldet.
mail-secure-button = Konto schützen
mail-password-not-you = Wählen Sie sofort ein neues Passwort. Damit werden alle Geräte abgemeldet. Prüfen Sie danach auch, wer Ihre E-Mails lesen kann.

mail-new-device-subject = Neue Anmeldung: { $device }
mail-new-device-title = Neue Anmeldung bei Ihrem Konto
mail-new-device-text = Jemand hat sich bei Ihrem Konto bei { $site } mit einem Browser angemeldet, den wir damit noch nicht gesehen haben. Wenn Sie das waren, ist nichts zu tun.
mail-new-device-not-you = Wählen Sie sofort ein neues Passwort. Damit werden alle Geräte abgemeldet.

mail-reuse-subject = Wir haben zu Ihrem Schutz den Zugang von { $device } beendet
mail-reuse-title = Dieselbe Anmeldung wurde an zwei Orten verwendet
mail-reuse-text = Der Zugang, den { $device } bei Ihrer Anmeldung bei { $site } erhalten hat, wurde an zwei Orten verwendet. Einer davon kann eine Kopie sein; daher haben wir diese Anmeldung an beiden Orten beendet.
mail-reuse-next = Melden Sie sich dort wieder an, wo Sie es brauchen. Wenn Sie nicht wissen, warum das geschehen ist, wählen Sie auch ein neues Passwort.
mail-reuse-button = Neues Passwort wählen
mail-reuse-not-you = Eine Kopie entsteht meist durch Schadsoftware auf dem Gerät. Prüfen Sie es, bevor Sie sich dort wieder anmelden.

mail-switched-off-subject = Anmeldung mit Passwort auf unbekannten Geräten ausgesetzt
mail-switched-off-title = Anmeldung mit Passwort ist auf unbekannten Geräten ausgesetzt
mail-switched-off-text = Für Ihr Konto bei { $site } wurden sehr viele falsche Passwörter eingegeben. Keines war richtig. Bis auf Weiteres gilt das Passwort nur auf Geräten, die Sie schon verwendet haben.
mail-switched-off-next = Auf diesen Geräten melden Sie sich an wie immer; damit endet die Sperre. Auf einem neuen Gerät wählen Sie zuerst ein neues Passwort.
mail-switched-off-button = Neues Passwort wählen
mail-switched-off-not-you = Die Versuche stammen wahrscheinlich von einem Programm, das Listen durchprobiert. Wenn Sie dasselbe Passwort auch anderswo verwenden, wählen Sie ein neues.
