-- Events are read in the order of their ids. Nothing asks for them by subject or action, and every change paid for both.
DROP INDEX events_subject;
DROP INDEX events_action;
