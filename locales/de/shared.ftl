# Wörter, die mehr als eine Seite oder E-Mail verwendet.
skip-to-content = Zum Inhalt springen
page-title = { $title } – { $site }
error-title = Fehler: { $title }
brand-home = { $site }, Startseite
language-choose = Sprache
unknown-device = Unbekannter Browser
unknown-device-on = Unbekannter Browser, { $system }
unknown-place = Nicht bekannt

time-full = { $day }. { $month } { $year }, { $clock } UTC
month-1 = Januar
month-2 = Februar
month-3 = März
month-4 = April
month-5 = Mai
month-6 = Juni
month-7 = Juli
month-8 = August
month-9 = September
month-10 = Oktober
month-11 = November
month-12 = Dezember

wait-seconds = { $count ->
    [one] { $count } Sekunde
   *[other] { $count } Sekunden
}
wait-minutes = { $count ->
    [one] { $count } Minute
   *[other] { $count } Minuten
}
wait-hours = { $count ->
    [one] { $count } Stunde
   *[other] { $count } Stunden
}

ago-moments = gerade eben
ago-minutes = { $count ->
    [one] vor { $count } Minute
   *[other] vor { $count } Minuten
}
ago-hours = { $count ->
    [one] vor { $count } Stunde
   *[other] vor { $count } Stunden
}
ago-days = { $count ->
    [one] vor { $count } Tag
   *[other] vor { $count } Tagen
}
ago-months = { $count ->
    [one] vor { $count } Monat
   *[other] vor { $count } Monaten
}
ago-years = { $count ->
    [one] vor { $count } Jahr
   *[other] vor { $count } Jahren
}
