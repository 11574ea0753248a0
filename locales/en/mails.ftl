# Parts of every mail
mail-greeting = Hello { $name },
mail-greeting-nameless = Hello,
mail-link-hint = If the button does not work, open this address:
mail-footer = { $site } sent this mail to { $email } because of what is described above. It is about your account and cannot be unsubscribed from.
mail-fact-when = When
mail-fact-device = Device
mail-fact-place = Address
mail-not-you-heading = Was it not you?

mail-verification-subject = Confirm your e-mail address
mail-verification-title = Confirm your e-mail address
mail-verification-text = Somebody, hopefully you, is creating an account at { $site } with this address. Enter this code where you signed up:
mail-verification-link-text = On another device, or if that page is closed, open the link and choose your password there.
mail-verification-button = Confirm and choose a password
mail-verification-code-expiry = The code works for { $time }.
mail-verification-link-expiry = The link works for { $time }.
mail-verification-not-you = Ignore this mail. Without the code or the link no account comes into being. Never tell anybody the code.

mail-known-subject = You already have an account at { $site }
mail-known-title = You already have an account
mail-known-text = Somebody, probably you, tried to sign up at { $site } with this address. There is an account for it already, so nothing was created. Sign in instead.
mail-known-button = Sign in
mail-known-reset-text = If you do not know your password any more, choose a new one here:
mail-known-not-you = You need not do anything. Nobody has got access, and the person who tried was not told that you have an account.

mail-reset-subject = Choose a new password
mail-reset-title = Choose a new password
mail-reset-text = Somebody, hopefully you, asked for a new password for your account at { $site }. The link opens a page where you choose it.
mail-reset-button = Choose a new password
mail-reset-expiry = The link works once, for { $time }.
mail-reset-not-you = Ignore this mail. Your password stays as it is as long as nobody uses the link.

mail-password-changed-subject = Your password was changed
mail-password-changed-title = Your password was changed
mail-password-changed-text = The password of your account at { $site } was changed on the account page. Every other device was signed out.
mail-password-reset-done-subject = Your password was reset
mail-password-reset-done-title = Your password was reset
mail-password-reset-done-text = A new password for your account at { $site } was chosen with a link from a mail to you. Every device was signed out.
mail-secure-button = Secure your account
mail-password-not-you = Choose a new password at once. That signs out every device. Then also check who can read your mail.

mail-new-device-subject = New sign-in on { $device }
mail-new-device-title = New sign-in to your account
mail-new-device-text = Somebody signed in to your account at { $site } from a browser we have not seen with it before. If that was you, there is nothing to do.
mail-new-device-not-you = Choose a new password at once. That signs out every device.

mail-reuse-subject = We ended the access of { $device } to protect you
mail-reuse-title = Two places used the same sign-in
mail-reuse-text = The access that { $device } got when you signed in to { $site } was used from two places. One of them may be a copy, so we ended that sign-in in both.
mail-reuse-next = Sign in again where you need it. If you do not know why this happened, choose a new password as well.
mail-reuse-button = Choose a new password
mail-reuse-not-you = A copy usually comes from malicious software on the device. Check it before you sign in there again.

mail-switched-off-subject = Password sign-in is paused for unknown devices
mail-switched-off-title = Password sign-in is paused for unknown devices
mail-switched-off-text = There were very many wrong passwords for your account at { $site }. None was right. Until further notice the password works only on devices you have used before.
mail-switched-off-next = On those devices you sign in as always; that ends the pause. On a new device, choose a new password first.
mail-switched-off-button = Choose a new password
mail-switched-off-not-you = The attempts were probably made by a program that tries out lists. If you use the same password elsewhere, choose a new one.
