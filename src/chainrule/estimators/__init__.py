"""MLPClassifier and MLPRegressor, in place of scikit-learn's. This room alone knows scikit-learn."""

from chainrule.estimators.classifier import MLPClassifier
from chainrule.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
