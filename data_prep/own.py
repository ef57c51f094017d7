"""What collections of a user's own have in common: whatever in their folders is not used is named."""

from abc import abstractmethod

from data_prep.base import Problem


class OwnCollection:
    """A folder of the data root with recordings of the user's own; inherited before a data set."""

    @abstractmethod
    def left_out(self) -> str:
        """What is in the folder and not used, in one line; empty if there is nothing."""

    def require(self, **requirements) -> list[Problem]:
        """As of every data set (`data_prep.base`); also prints what is left out."""
        problems = super().require(**requirements)
        if line := self.left_out():
            print(line)
        return problems
