account-navigation = Account
account-profile = Profile
account-password = Password
account-sessions = Devices
account-applications = Applications
account-appearance = Appearance
account-signed-in-as = Signed in as
sign-out = Sign out

profile-title = Profile
profile-lead = What we know about you, and the language we write to you in.
profile-language = Language of pages and mails
profile-since = Account created { $time }
save = Save

password-title = Change your password
password-lead = Every other device is signed out when you save a new password.
password-submit = Save new password
password-forgot = Forgot your current password?

sessions-title = Devices
sessions-lead = These devices are signed in to your account. Sign out any that you do not recognise, then change your password.
sessions-this-device = This device
sessions-place = Address
sessions-last-seen = Last active
sessions-created = Signed in
sessions-end = Sign out
sessions-end-label = Sign out { $device }, signed in { $time }
sessions-others-heading = Other devices
sessions-only-this = No other device is signed in.
sessions-end-others = Sign out all other devices

appearance-title = Appearance
appearance-lead = Kept in this browser only.
appearance-theme = Colours
theme-system = As the device
theme-system-hint = Follows the light or dark setting of this device
theme-light = Light
theme-dark = Dark

applications-title = Applications
applications-lead = Where you have signed in with this account, and what each application may have.
applications-none = You have not signed in to any application yet.
applications-scopes = It can
applications-services = In your name it uses
applications-last-used = Last sign-in
applications-granted = Allowed
applications-vouched = Part of { $site }; you were not asked
applications-revoke = Take access away
applications-revoke-label = Take access away from { $application }
applications-more = Show more
