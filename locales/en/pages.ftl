# Fields
field-email = E-mail address
field-name = Name
field-password = Password
field-new-password = New password
field-current-password = Current password
field-code = 6-digit code
optional = optional
hint-new-password = At least { $min } characters. A few random words work well.
hint-name = Shown on your account page and in mails to you.
show-password = Show
show-password-label = Show password
hide-password = Hide
hide-password-label = Hide password
length-count = { $count } of at least { $min } characters
length-enough = { $count } characters, long enough
copy = Copy
copied = Copied

# Error summary and notices
errors-heading = There is a problem
notice-success = Done
notice-info = Note
notice-warning = Important

# Sign up
signup-title = Create your account
signup-lead = One account for everything that uses { $site }.
signup-email-hint = We send a mail there to confirm that it is yours.
signup-submit = Create account
signup-other = Already have an account?
signup-other-link = Sign in

# Confirm the address, in the browser that signed up
verify-title = Confirm your address
verify-lead = We have sent a mail to { $email }. Enter the 6-digit code from it here, or open the link in it.
verify-lead-unknown = We have sent you a mail. Enter the 6-digit code from it here, or open the link in it.
verify-submit = Confirm
verify-help = No mail after a few minutes?
verify-help-text = Look in the spam folder, and check the spelling of the address. If you already have an account, the mail says how to sign in instead.
verify-resend = Send it again
verify-restart = Use another address

# Confirm the address, by whoever opened the link
verify-link-title = Choose your password
verify-link-lead = Your address is confirmed as soon as you save a password for it.
verify-link-why = Only the person who reads mail at this address can choose the password. One typed in elsewhere for it no longer counts.
verify-link-submit = Save password and confirm

# Sign in
login-title = Sign in
login-lead = Use your { $site } account.
login-remember = Stay signed in on this device
login-submit = Sign in
login-forgot = Forgot your password?
login-other = New here?
login-other-link = Create an account

# Forgotten password
forgot-title = Reset your password
forgot-lead = Enter the address of your account. We send a link to choose a new password.
forgot-submit = Send the link
forgot-back = Back to sign-in
forgot-sent-title = Look in your mailbox
forgot-sent-lead = If there is an account for { $email }, a mail with a link is on its way. The link works for { $time }.
forgot-sent-help = No mail after a few minutes? Look in the spam folder, and check that this is the address of your account.
forgot-sent-again = Try another address

reset-title = Choose a new password
reset-lead = When you save it, every device is signed out and you sign in again.
reset-submit = Save new password

# The first administrator
first-title = Set up { $site }
first-lead = You opened the one-time set-up link. Create the first administrator account; the link stops working afterwards.
first-submit = Create administrator

authorize-error-title = This sign-in cannot go on
authorize-error-text = The application sent a request that we cannot answer. Go back to it and try again; if it happens again, tell its operator what is written below.

# On the way to an application that nobody has looked at
leave-title = Leave for { $host }?
leave-text = An application asked for something that is not possible here. It registered itself: nobody at { $site } has checked where it leads. Go on only if you know it.
leave-submit = Go on

form-post-title = Back to the application
form-post-text = You are on your way back to the application.
form-post-submit = Continue

# An application asks for access
consent-title = Allow { $client } to use your account?
consent-lead = You are signed in at { $site } as { $email }.
consent-scopes = It will be able to
consent-services = In your name it will use
consent-destination = You go back to { $host } afterwards.
consent-self-registered = This application registered itself: nobody at { $site } has checked who is behind it.
consent-revocable = You can take this back in your account, under Applications.
consent-allow = Allow
consent-deny = Do not allow
consent-home = Home page
consent-policy = Privacy policy
consent-terms = Terms
scope-openid = recognise you: it learns an identifier of yours that stays the same, and when and how you signed in
scope-profile = see your name and language
scope-email = see your e-mail address
scope-offline-access = go on with this while you are not signed in, until you take it back
scope-other = use its own permission { $scope }

# An application wants the person to choose an account
choose-account-title = Choose an account
choose-account-lead = You are signed in at { $site } as
choose-account-continue = Go on with this account
choose-account-other = Use another account

# An application wants the person to sign out
confirm-logout-title = Sign out of { $site }?
confirm-logout-client = { $client } asks for it.
confirm-logout-text = You will have to sign in again here. Applications you have signed in to may keep you signed in for a while.
confirm-logout-stay = Stay signed in

# A device without a browser
device-title = Connect a device
device-lead = Type the code that your device shows.
device-code = Code
device-confirm-title = Let { $client } on your device use your account?
device-compare = Your device must show this code
device-from = The device is at { $address }.
device-warning = If somebody sent you this code, do not allow it: they would get into your account.
