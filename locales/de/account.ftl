account-navigation = Konto
account-profile = Profil
account-password = Passwort
account-sessions = Geräte
account-applications = Anwendungen
account-appearance = Darstellung
account-signed-in-as = Angemeldet als
sign-out = Abmelden

profile-title = Profil
profile-lead = Was wir über Sie wissen und in welcher Sprache wir Ihnen schreiben.
profile-language = Sprache der Seiten und E-Mails
profile-since = Konto erstellt am { $time }
save = Speichern

password-title = Passwort ändern
password-lead = Wenn Sie ein neues Passwort speichern, werden alle anderen Geräte abgemeldet.
password-submit = Neues Passwort speichern
password-forgot = Aktuelles Passwort vergessen?

sessions-title = Geräte
sessions-lead = Diese Geräte sind bei Ihrem Konto angemeldet. Melden Sie ab, was Sie nicht kennen, und ändern Sie dann Ihr Passwort.
sessions-this-device = Dieses Gerät
sessions-place = Adresse
sessions-last-seen = Zuletzt aktiv
sessions-created = Angemeldet
sessions-end = Abmelden
sessions-end-label = { $device } abmelden, angemeldet am { $time }
sessions-others-heading = Andere Geräte
sessions-only-this = Kein anderes Gerät ist angemeldet.
sessions-end-others = Alle anderen Geräte abmelden

appearance-title = Darstellung
appearance-lead = Gilt nur in diesem Browser.
appearance-theme = Farben
theme-system = Wie das Gerät
theme-system-hint = Folgt der hellen oder dunklen Einstellung dieses Geräts
theme-light = Hell
theme-dark = Dunkel

applications-title = Anwendungen
applications-lead = Wo Sie sich mit diesem Konto angemeldet haben und was jede Anwendung darf.
applications-none = Sie haben sich noch bei keiner Anwendung angemeldet.
applications-scopes = Sie kann
applications-services = In Ihrem Namen nutzt sie
applications-last-used = Letzte Anmeldung
applications-granted = Erlaubt
applications-vouched = Teil von { $site }; Sie wurden nicht gefragt
applications-revoke = Zugriff entziehen
applications-revoke-label = { $application } den Zugriff entziehen
applications-more = Mehr anzeigen
